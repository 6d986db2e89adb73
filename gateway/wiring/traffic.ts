/** Opens what decides which version gets a request: the route, the guard of canaries, and the copies for shadows. */

import type { ModelCard } from '../model/card.ts';
import { createRoute, type Route } from '../model/route.ts';
import type { ModelWatch } from '../model/watch.ts';
import { countOutcome, showBounds, showCanaries } from '../observe/metrics.ts';
import type { OnPredicted } from '../pipeline/predicted.ts';
import type { OnOutcome } from '../pipeline/version-outcome.ts';
import type { CopyQueue } from '../traffic/copy-queue.ts';
import { Guard } from '../traffic/guard.ts';
import { openCopies } from './copies.ts';
import type { ModelServers } from './model-servers.ts';
import type { StagesOptions } from './stages-options.ts';

export type TrafficParts = {
  readonly watch: ModelWatch;
  readonly servers: ModelServers;
  readonly queue: CopyQueue;
};

export type OpenTraffic = {
  readonly route: Route;
  readonly onPredicted: OnPredicted;
  readonly onOutcome: OnOutcome;
  /** Why a canary has lost its share. Undefined while it has it. */
  withdrawal(card: ModelCard): string | undefined;
  /** Sets the models to serve. */
  setModels(cards: ReadonlyMap<string, ModelCard>): void;
};

/** `watch` is used by requests only: it asks for `withdrawal` itself. */
export function openTraffic(options: StagesOptions, { watch, servers, queue }: TrafficParts): OpenTraffic {
  const { config, log, metrics, predictions } = options;
  const guard = new Guard({
    log,
    onWithdrawal: ({ model, version, reason }) => metrics.withdrawals.inc({ model, version, reason }),
  });
  showCanaries(metrics, () => watch.states.all);
  showBounds(metrics, () => watch.cards);
  const route = createRoute({
    cards: () => watch.cards,
    states: watch.states,
    model: (name) => watch.model(name),
    discovery: watch.discovery,
    defaultName: config.modelName,
    connected: (model) => servers.backends.find(model).servers(),
    isWithdrawn: (card) => guard.withdrawn(card) !== undefined,
  });
  const copies = openCopies({
    ...options,
    servers,
    route,
    queue,
    needsAgreement: (served) => guard.needsAgreement(served),
    onCompared(comparison) {
      guard.compared(comparison);
      predictions?.addComparison(comparison);
    },
  });
  return {
    route,
    onPredicted: copies.onPredicted,
    withdrawal: (card) => guard.withdrawn(card)?.text,
    onOutcome(outcome) {
      countOutcome(metrics, outcome);
      guard.count(outcome);
    },
    setModels(cards) {
      copies.setModels(cards);
      guard.setModels(cards);
    },
  };
}
