/** Opens what decides which version gets a request: the route, and the copies for shadows. */

import type { ModelCard } from '../model/card.ts';
import { createRoute, type Route } from '../model/route.ts';
import type { ModelWatch } from '../model/watch.ts';
import { countOutcome, showCanaries } from '../observe/metrics.ts';
import type { OnPredicted } from '../pipeline/predicted.ts';
import type { OnOutcome } from '../pipeline/version-outcome.ts';
import type { CopyQueue } from '../traffic/copy-queue.ts';
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
  /** Sets the models to serve. */
  setModels(cards: ReadonlyMap<string, ModelCard>): void;
};

export function openTraffic(options: StagesOptions, { watch, servers, queue }: TrafficParts): OpenTraffic {
  const { config, metrics, predictions } = options;
  showCanaries(metrics, () => watch.states.all);
  const route = createRoute({
    cards: () => watch.cards,
    states: watch.states,
    model: (name) => watch.model(name),
    discovery: watch.discovery,
    defaultName: config.modelName,
    connected: (model) => servers.backends.find(model).servers(),
  });
  const copies = openCopies({
    ...options,
    servers,
    route,
    queue,
    needsAgreement: () => false,
    onCompared(comparison) {
      predictions?.addComparison(comparison);
    },
  });
  return {
    route,
    onPredicted: copies.onPredicted,
    onOutcome(outcome) {
      countOutcome(metrics, outcome);
    },
    setModels(cards) {
      copies.setModels(cards);
    },
  };
}
