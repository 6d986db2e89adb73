/** Bounds the requests that wait for their sources, so that a slow source delays only the requests that need it. */
import { GatewayError } from '../errors.ts';

/** `perHost` requests may wait for one host, twice as many of one tenant, and four times as many in all. */
export class SourceLimits {
  readonly #perHost: number;
  readonly #waiting = new Map<string, number>();

  constructor(perHost: number) {
    this.#perHost = perHost;
  }

  /** Counts a request until the result is disposed of. Throws `overloaded` when a bound is reached. */
  enter(hosts: ReadonlySet<string>, tenant: string): Disposable {
    const bounds = new Map([...hosts].map((host) => [`host ${host}`, this.#perHost]));
    bounds.set(`tenant ${tenant}`, 2 * this.#perHost).set('all', 4 * this.#perHost);
    for (const [key, bound] of bounds) {
      if ((this.#waiting.get(key) ?? 0) < bound) continue;
      throw new GatewayError('overloaded', 'url: too many requests wait for this source; try again later.');
    }
    for (const key of bounds.keys()) this.#add(key, 1);
    return {
      [Symbol.dispose]: () => {
        for (const key of bounds.keys()) this.#add(key, -1);
      },
    };
  }

  #add(key: string, change: 1 | -1): void {
    const count = (this.#waiting.get(key) ?? 0) + change;
    if (count === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, count);
  }
}
