/** The labels of a model's versions, as its servers know them. */
import { performance } from 'node:perf_hooks';
import type { Backend } from '../domain/backend.ts';
import { asGatewayError, GatewayError } from '../errors.ts';

/** Short: a label that has moved is followed within this time, while its old version still answers. */
const FRESH_MS = 1000;
/** Bounded, because the names come from requests. */
const MAX_LABELS = 32;

/** For one server: it may hang, and the next one is asked then. */
const LOOK_UP_TIMEOUT_MS = 1000;

type Known = { readonly version: Promise<number>; readonly readMs: number };

/** Reads labels by GetModelMetadata, which answers with the version's number. */
export class Labels {
  readonly #backend: Pick<Backend, 'metadata' | 'servers'>;
  readonly #model: string;
  readonly #known = new Map<string, Known>();

  constructor(backend: Pick<Backend, 'metadata' | 'servers'>, model: string) {
    this.#backend = backend;
    this.#model = model;
  }

  /** The version that has the label now. Throws `model_not_found` for a label that no server has. */
  version(label: string): Promise<number> {
    const known = this.#known.get(label);
    if (known && performance.now() - known.readMs < FRESH_MS) return known.version;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_LABELS) this.#known.delete(oldest);
    const version = this.#read(label, known?.version);
    this.#known.set(label, { version, readMs: performance.now() });
    version.catch(() => this.forget(label));
    return version;
  }

  /** The next request reads the label again. */
  forget(label: string): void {
    this.#known.delete(label);
  }

  /**
   * Asks the servers in the order of their addresses until one has the label, so that all gateways follow a label at the same
   * moment. While labels are changed server by server, some servers do not know it, or have not loaded its version. If the
   * servers are too busy to answer, the label is as `before`.
   */
  async #read(label: string, before: Promise<number> | undefined): Promise<number> {
    const servable = { model: this.#model, label };
    const failures: unknown[] = [];
    const servers = this.#backend.servers().toSorted();
    if (servers.length === 0) failures.push(new GatewayError('model_unavailable', 'No model server is reachable.'));
    for (const server of servers) {
      try {
        return (await this.#backend.metadata(servable, AbortSignal.timeout(LOOK_UP_TIMEOUT_MS), server)).version;
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    const failure = failures.find((thrown) => !isUnknown(thrown));
    if (failure && before) return before;
    if (failure) throw failure;
    const detail = `label: no version of ${this.#model} has this label`;
    throw new GatewayError('model_not_found', detail, { cause: failures.at(-1) });
  }
}

/** TF-Serving answers INVALID_ARGUMENT for an unknown label. No other argument can be invalid here. */
function isUnknown(failure: unknown): boolean {
  const { kind } = asGatewayError(failure);
  return kind === 'internal' || kind === 'model_not_found';
}
