/**
 * Sends copies of requests to another version, after their answers, and compares what it says: to the shadow of model.yaml a share of
 * them, and of a canary's requests to the stable version, where the guard asks for their agreement.
 */
import type { Backend } from '../domain/backend.ts';
import { ownContext } from '../domain/context.ts';
import type { OwnBackend } from '../domain/own-limits.ts';
import type { Log, RequestContext } from '../domain/request.ts';
import { inTurns } from '../domain/steps.ts';
import type { VersionName } from '../domain/traffic.ts';
import { asGatewayError } from '../errors.ts';
import type { ModelCard } from '../model/card.ts';
import { meaningOf } from '../model/meaning.ts';
import type { Routed } from '../model/route.ts';
import { placeOf } from '../model/traffic.ts';
import type { OnPredicted, Predicted } from '../pipeline/predicted.ts';
import { isFault, type VersionOutcome } from '../pipeline/version-outcome.ts';
import { compareRows, type RowComparison } from './compare.ts';
import type { CopyQueue, DropReason } from './copy-queue.ts';
import { predictCopy, requestFor } from './predict-copy.ts';
import { planCopy, type RequestCopy } from './request-copy.ts';

/** What two versions say of a request. */
export type Comparison = {
  readonly time: Date;
  readonly requestId: string;
  readonly traceId: string;
  readonly model: string;
  /** The shadow or the canary. */
  readonly version: number;
  /** The version that it is compared with. */
  readonly against: number;
  /** The time of the prediction. Undefined where the one that was served was not measured. */
  readonly ms: number | undefined;
  readonly againstMs: number | undefined;
  /** Empty where model.yaml has neither classes nor a decision. `row`: the instance of the request. */
  readonly rows: readonly (RowComparison & { readonly row: number })[];
};

/** unsuited: the other version takes other tensors. unavailable: it cannot answer. refused: its servers were too busy. */
export type NotCompared = DropReason | 'unsuited' | 'unavailable' | 'refused';

export type CopiesOptions = {
  readonly queue: CopyQueue;
  /** The version that model.yaml names, or the stable one, as it is known now. Undefined while it cannot answer. */
  readonly find: (model: string, version: VersionName | undefined) => Promise<Routed | undefined>;
  /** Their own clients: what copies do to connections and to the measured load of servers is no matter of the requests. */
  readonly backendOf: (backend: OwnBackend | undefined) => Backend;
  /** Whether the guard needs the agreement of a canary's answer with that of the stable version. */
  readonly needsAgreement: (served: Routed) => boolean;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly onOutcome: (outcome: VersionOutcome) => void;
  readonly onCompared: (comparison: Comparison) => void;
  readonly onDropped: (model: string, reason: NotCompared) => void;
};

/** Where a copy goes. `of`: whose answers are to be judged. */
type Destination = {
  readonly of: 'shadow' | 'canary';
  readonly version: VersionName | undefined;
  /** Of the shadow. */
  readonly backend: OwnBackend | undefined;
};

type Job = {
  readonly copy: RequestCopy;
  readonly destination: Destination;
  readonly context: Pick<RequestContext, 'id' | 'trace'>;
  readonly servedMs: number | undefined;
};

export class Copies {
  readonly #options: CopiesOptions;
  readonly #closing = new AbortController();
  /** Versions whose last copy failed. */
  readonly #failing = new Set<string>();

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  readonly onPredicted: OnPredicted = (predicted, context) => {
    for (const destination of this.#destinationsOf(predicted.routed, context)) {
      const why = this.#copy(predicted, destination, context);
      if (why !== undefined) this.#options.onDropped(predicted.routed.card.name, why);
    }
  };

  /** Ends the calls that are on their way. */
  close(): void {
    this.#closing.abort(new DOMException('the gateway is shutting down', 'AbortError'));
  }

  *#destinationsOf(served: Routed, { id }: RequestContext): Generator<Destination> {
    const { card, role, version } = served;
    const { shadow } = card;
    // A request that names its version is no part of the traffic.
    if (role === 'named') return;
    const isOther = shadow?.backend !== undefined || shadow?.version !== version;
    if (shadow && isOther && placeOf(card.name, `shadow\0${id}`) < shadow.share) {
      yield { of: 'shadow', version: shadow.version, backend: shadow.backend };
    }
    if (role === 'canary' && this.#options.needsAgreement(served)) {
      yield { of: 'canary', version: undefined, backend: undefined };
    }
  }

  /** Keeps or copies the request, and has it sent after the answer. Returns why it was not. */
  #copy(predicted: Predicted, destination: Destination, context: RequestContext): NotCompared | undefined {
    const { queue, onDropped } = this.#options;
    const { name } = predicted.routed.card;
    const plan = planCopy(predicted);
    if (!plan) return 'unsuited';
    const share = queue.take(plan.bytes);
    if (!share) return 'memory';
    const copy = plan.make();
    const release = () => {
      copy.release();
      share.release();
    };
    context.onEnd(() => {
      const servedMs = context.times.get('predict');
      queue.add({
        model: name,
        send: () => this.#send({ copy, destination, context, servedMs }).finally(release),
        drop: (reason) => {
          release();
          onDropped(name, reason);
        },
      });
    });
    return undefined;
  }

  async #send(job: Job): Promise<void> {
    const { served } = job.copy;
    try {
      const why = await this.#predict(job);
      if (why) this.#options.onDropped(served.card.name, why);
    } catch (cause) {
      // A mistake of this code must not end the process.
      this.#options.log.error({ model: served.card.name, cause }, 'a copy of a request could not be compared');
    }
  }

  async #predict(job: Job): Promise<NotCompared | undefined> {
    const { copy, destination } = job;
    const { find, backendOf, log, onOutcome } = this.#options;
    const { served } = copy;
    const { card } = served;
    const { backend: elsewhere } = destination;
    const other = elsewhere ? sameForm(served, destination) : await find(card.name, destination.version);
    if (!other) return 'unavailable';
    if (!elsewhere && other.version === served.version) return 'unsuited';
    const request = requestFor(copy, other);
    if (!request) return 'unsuited';
    const startMs = performance.now();
    const context = ownContext(this.#signal(card), log, this.#timeoutMs(card));
    try {
      const backend = backendOf(elsewhere ?? card.backend);
      const output = await predictCopy(copy, request, { routed: other, backend }, context);
      const predictMs = performance.now() - startMs;
      const rows = await compare(copy, { routed: other, output });
      onOutcome({ routed: other, outcome: 'ok', predictMs });
      this.#tellSuccess(other);
      this.#tell(job, other, predictMs, rows);
      return undefined;
    } catch (thrown) {
      if (this.#closing.signal.aborted) return 'unavailable';
      if (!isFault(thrown)) return 'refused';
      onOutcome({ routed: other, outcome: 'error', predictMs: performance.now() - startMs });
      this.#tellFailure(other, thrown);
      return undefined;
    }
  }

  #tell({ copy, destination, context, servedMs }: Job, other: Routed, ms: number, rows: Comparison['rows']): void {
    const { served } = copy;
    const [judged, reference] = [
      { version: other.version, ms },
      { version: served.version, ms: servedMs },
    ];
    const [one, against] = destination.of === 'shadow' ? [judged, reference] : [reference, judged];
    this.#options.onCompared({
      time: new Date(),
      requestId: context.id,
      traceId: context.trace.id,
      model: served.card.name,
      version: one.version,
      against: against.version,
      ms: one.ms,
      againstMs: against.ms,
      rows,
    });
  }

  /** Tells of the first failure in a row, and of the next success. */
  #tellFailure({ card, version }: Routed, thrown: unknown): void {
    const key = `${card.name} ${version}`;
    if (this.#failing.has(key)) return;
    this.#failing.add(key);
    const { kind, message: detail, cause } = asGatewayError(thrown);
    const about = { model: card.name, version, kind, detail, cause };
    this.#options.log.warn(about, 'copies of requests fail; no client sees it');
  }

  #tellSuccess({ card, version }: Routed): void {
    if (!this.#failing.delete(`${card.name} ${version}`)) return;
    this.#options.log.info({ model: card.name, version }, 'copies of requests are answered again');
  }

  #timeoutMs({ timeoutMs = Number.POSITIVE_INFINITY }: ModelCard): number {
    return Math.min(timeoutMs, this.#options.timeoutMs);
  }

  #signal(card: ModelCard): AbortSignal {
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#timeoutMs(card))]);
  }
}

/** A version on servers of its own is taken to have the signatures of the one that answered. */
function sameForm(served: Routed, { version }: Destination): Routed | undefined {
  if (typeof version !== 'number') return undefined;
  return { ...served, version, servers: new Set(), role: 'shadow' };
}

async function compare(
  { served, signature, rows, instances, output }: RequestCopy,
  other: { readonly routed: Routed; readonly output: Awaited<ReturnType<typeof predictCopy>> },
): Promise<Comparison['rows']> {
  const one = { output: await output(), meaning: meaningOf(served, signature) };
  const another = { output: other.output, meaning: meaningOf(other.routed, signature) };
  const compared = await inTurns(compareRows(one, another, rows));
  return compared.flatMap((row, index) => (row ? { ...row, row: instances?.[index] ?? index } : []));
}
