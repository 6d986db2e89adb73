/** Opens the copies of requests, for shadows and for the guard of canaries. */
import { POOL_BYTES } from '../backend/grpc/backend.ts';
import type { ModelCard } from '../model/card.ts';
import type { Route } from '../model/route.ts';
import { countComparison, countOutcome } from '../observe/metrics.ts';
import type { Comparison, CopiesOptions } from '../traffic/copies.ts';
import { Copies } from '../traffic/copies.ts';
import { CopyQueue } from '../traffic/copy-queue.ts';
import type { ModelServers } from './model-servers.ts';
import type { StagesOptions } from './stages-options.ts';

/**
 * The most memory of copies and of the answers to them. The pool of unused tensors keeps so much less while a model has copies, so that
 * the memory rule of docs/overload.md holds as it is.
 */
const COPIES_BYTES = 32 * 2 ** 20;

type Cards = ReadonlyMap<string, ModelCard>;

/** Copies make room for requests: of their model, and for the memory of all. */
export function openCopyQueue(
  { admission, ownAdmissions, plan }: Pick<StagesOptions, 'admission' | 'ownAdmissions' | 'plan'>,
  cards: () => Cards,
): CopyQueue {
  return new CopyQueue({
    maxBytes: COPIES_BYTES,
    isBusy(model) {
      const card = cards().get(model);
      const own = card && ownAdmissions.of(card);
      return plan.memory.state !== 'ok' || (own ?? admission).isBusy;
    },
  });
}

export type OpenCopies = Pick<Copies, 'onPredicted'> & {
  /** Sets the models to serve. */
  setModels(cards: Cards): void;
};

export type CopiesParts = Pick<CopiesOptions, 'queue' | 'needsAgreement'> &
  Pick<StagesOptions, 'config' | 'log' | 'metrics' | 'opened'> & {
    readonly servers: Pick<ModelServers, 'copyBackends' | 'pool'>;
    readonly route: Pick<Route, 'known'>;
    readonly onCompared: (comparison: Comparison) => void;
  };

export function openCopies(parts: CopiesParts): OpenCopies {
  const { config, log, metrics, opened, servers, route, queue, needsAgreement, onCompared } = parts;
  const { copyBackends, pool } = servers;
  const copies = new Copies({
    queue,
    find: (model, version) => route.known(model, version),
    backendOf: (backend) => copyBackends.of(backend ? { backend } : {}).backend,
    needsAgreement,
    timeoutMs: config.requestTimeoutMs,
    log,
    onOutcome: (outcome) => countOutcome(metrics, outcome),
    onCompared(comparison) {
      countComparison(metrics, comparison);
      onCompared(comparison);
    },
    onDropped: (model, reason) => metrics.copiesDropped.inc({ model, reason }),
  });
  opened.defer(() => copies.close());
  return {
    onPredicted: copies.onPredicted,
    setModels(cards) {
      const used = new Map<string, Pick<ModelCard, 'backend'>>(cards);
      for (const { name, shadow } of cards.values()) {
        if (shadow?.backend) used.set(`${name} shadow`, { backend: shadow.backend });
      }
      copyBackends.setModels(used);
      pool.keepAtMost([...cards.values()].some(hasCopies) ? POOL_BYTES - COPIES_BYTES : POOL_BYTES);
    },
  };
}

function hasCopies({ shadow, guard, traffic }: ModelCard): boolean {
  return shadow !== undefined || (guard?.minTop1Agreement !== undefined && traffic?.canary !== undefined);
}
