/** The numbers of the versions that model.yaml's traffic names. */
import { performance } from 'node:perf_hooks';
import type { Traffic, VersionName } from '../domain/traffic.ts';
import { asGatewayError } from '../errors.ts';
import type { Choice } from './choice.ts';
import type { Labels } from './labels.ts';
import type { ModelVersions } from './versions.ts';

/** Labels are read again after this time, as those that requests name. */
const FRESH_MS = 1000;

/** A number is undefined where no server has the label. */
export type Split = {
  /** Whether model.yaml names the stable version. */
  readonly isPinned: boolean;
  readonly stable: number | undefined;
  readonly canary: number | undefined;
};

/** The version of the requests that the canary does not get. Undefined while it cannot answer. */
export function stableChoice(
  versions: Pick<ModelVersions, 'find' | 'newestBut'>,
  { isPinned, stable, canary }: Split,
): Choice | undefined {
  if (!isPinned) return versions.newestBut(canary);
  return stable === undefined ? undefined : versions.find(stable);
}

type Known = { readonly traffic: Traffic; readonly split: Split; readMs: number };

/** Keeps what labels meant last, so that requests do not wait for look-ups. */
export class Splits {
  readonly #labels: Pick<Labels, 'version' | 'forget'>;
  #last: Known | undefined;

  constructor(labels: Pick<Labels, 'version' | 'forget'>) {
    this.#labels = labels;
  }

  /** The last that is known. It is read again beside the requests; only the first one waits. */
  async of(traffic: Traffic | undefined): Promise<Split> {
    if (!traffic || this.#last?.traffic !== traffic) return this.read(traffic);
    const { readMs, split } = this.#last;
    const nowMs = performance.now();
    if (nowMs - readMs > FRESH_MS) {
      this.#last.readMs = nowMs;
      // Those who need the labels now read them themselves, and are told why they cannot.
      this.read(traffic).catch(() => undefined);
    }
    return split;
  }

  /** Asks the servers for the labels. Throws where no server can tell. */
  async read(traffic: Traffic | undefined): Promise<Split> {
    const split = await this.find(traffic);
    if (traffic) this.#last = { traffic, split, readMs: performance.now() };
    return split;
  }

  /** The same for traffic that is not in use. */
  async find(traffic: Traffic | undefined): Promise<Split> {
    const { stable, canary } = traffic ?? {};
    const [stableNumber, canaryNumber] = await Promise.all([this.#numberOf(stable), this.#numberOf(canary?.version)]);
    return { isPinned: stable !== undefined, stable: stableNumber, canary: canaryNumber };
  }

  /** The next `read` asks for the stable version's label again, which may have moved since. */
  forget(traffic: Traffic | undefined): void {
    if (typeof traffic?.stable === 'string') this.#labels.forget(traffic.stable);
  }

  async #numberOf(name: VersionName | undefined): Promise<number | undefined> {
    if (typeof name !== 'string') return name;
    return this.#labels.version(name).catch((thrown: unknown) => {
      if (asGatewayError(thrown).kind === 'model_not_found') return undefined;
      throw thrown;
    });
  }
}
