/** Bounds the requests that wait for their sources, so that a slow source delays only the requests that need it. */
import { LinkedController } from '../domain/linked-controller.ts';
import { GatewayError } from '../errors.ts';

/** A request that has waited longer may lose its place. Quick sources answer sooner. */
const SLOW_MS = 250;

type Waiting = {
  readonly hosts: ReadonlySet<string>;
  readonly tenant: string;
  readonly sinceMs: number;
  readonly eviction: LinkedController;
};

/**
 * A request's place. Dispose of it at the end of the wait. `signal` aborts with `overloaded` when the request loses it, and
 * with the request.
 */
export type Place = Disposable & { readonly signal: AbortSignal };

/**
 * At most `perHost` requests wait for one host, twice as many of one tenant, and three times as many in all. At a tenant's
 * bound, a new request evicts the tenant's request that has waited longest. At the bound in all, it evicts that of the
 * tenant with most requests. A request for a host that is slow for others too evicts none.
 */
export class SourceLimits {
  readonly #perHost: number;
  /** In the order of their start. */
  readonly #waiting = new Set<Waiting>();
  readonly #byHost = new Counts();
  readonly #byTenant = new Counts();

  constructor(perHost: number) {
    this.#perHost = perHost;
  }

  /** Counts a request, which aborts with `signal`. Throws `overloaded` when a bound is reached and no request can be evicted. */
  enter(hosts: ReadonlySet<string>, tenant: string, signal: AbortSignal): Place {
    if ([...hosts].some((host) => this.#byHost.of(host) >= this.#perHost)) throw overloaded();
    if (this.#byTenant.of(tenant) >= 2 * this.#perHost) this.#evictFor(hosts, tenant);
    if (this.#waiting.size >= 3 * this.#perHost) this.#evictFor(hosts, this.#byTenant.largest);
    const waiting = { hosts, tenant, sinceMs: performance.now(), eviction: new LinkedController(signal) };
    this.#waiting.add(waiting);
    this.#count(waiting, 1);
    return { signal: waiting.eviction.signal, [Symbol.dispose]: () => this.#leave(waiting) };
  }

  #evictFor(hosts: ReadonlySet<string>, tenant: string): void {
    const nowMs = performance.now();
    const slow = [...this.#waiting].filter(({ sinceMs }) => nowMs - sinceMs > SLOW_MS);
    const isSlowItself = slow.some((other) => !other.hosts.isDisjointFrom(hosts));
    const slowest = isSlowItself ? undefined : slow.find((other) => other.tenant === tenant);
    if (!slowest) throw overloaded();
    this.#leave(slowest);
    slowest.eviction.abort(overloaded());
  }

  #leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#count(waiting, -1);
    waiting.eviction[Symbol.dispose]();
  }

  #count({ hosts, tenant }: Waiting, change: 1 | -1): void {
    for (const host of hosts) this.#byHost.add(host, change);
    this.#byTenant.add(tenant, change);
  }
}

class Counts {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string, change: 1 | -1): void {
    const count = this.of(key) + change;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  /** The key with the highest count. */
  get largest(): string {
    const [[key] = ['']] = [...this.#counts].toSorted(([, one], [, other]) => other - one);
    return key;
  }
}

const overloaded = () => new GatewayError('overloaded', 'too many requests wait for image sources; try again later');
