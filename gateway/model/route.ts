/** Selects the version of a request, and the servers that have it. Only versions that were checked may answer. */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Choice } from './choice.ts';
import { findCard, notAvailable } from './find-card.ts';
import type { Verdict } from './served.ts';
import type { Binding } from './signatures.ts';
import type { ModelStates } from './states.ts';
import type { ModelVersions } from './versions.ts';
import type { WatchedModel } from './watch-model.ts';

/** A version that may answer, and the servers among which its requests are balanced. */
export type Routed = Pick<Choice, 'version' | 'metadata' | 'binding' | 'servers'> & { readonly card: ModelCard };

/** What a request with pictures needs of a version. Throws `invalid_request` for a model that takes tensors. */
export function bindingOf({ card, binding }: Routed): Binding {
  if (binding) return binding;
  throw new GatewayError('invalid_request', `query model: ${card.name} takes tensors, not images`);
}

export type RouteOptions = {
  /** The models in use now. */
  readonly cards: () => ReadonlyMap<string, ModelCard>;
  readonly states: Pick<ModelStates, 'all'>;
  /** What is known of a model's versions. */
  readonly model: (name: string) => Pick<WatchedModel, 'labels' | 'versions' | 'look'> | undefined;
  /** The model servers that are connected now. */
  readonly connected: () => readonly string[];
};

/** A request without a version that can answer waits this long for the servers: one of them may hang. */
const LOOK_MS = 1000;

type Context = Pick<RequestContext, 'signal' | 'deadlineMs'>;

export type Route = {
  /**
   * Throws `invalid_request` when the request must name the model, `model_not_found`, `model_unavailable` with the reason,
   * and `version_not_proven`.
   */
  resolve(asked: AskedServable, context: Context): Promise<Routed>;
  /**
   * Selects again, after a model server has contradicted what was known. Looks at the servers first. Throws `error` where
   * another try would be the same call.
   */
  again(error: GatewayError, failed: Routed, asked: AskedServable, context: Context): Promise<Routed>;
};

export function createRoute({ cards, states, model: find, connected }: RouteOptions): Route {
  function modelOf({ model: name }: AskedServable): Asked {
    const card = findCard(cards(), states.all, name);
    const unavailable = () => notAvailable(card.name, states.all.get(card.name)?.problem);
    const model = find(card.name);
    if (!model) throw unavailable();
    return { card, versions: model.versions, model, unavailable };
  }

  async function resolve(asked: AskedServable, context: Context): Promise<Routed> {
    const found = modelOf(asked);
    const { label, version } = asked;
    if (label !== undefined) return numbered(found, await labelled(found.model, label), context);
    return version === undefined ? newest(found, context) : numbered(found, version, context);
  }

  return {
    resolve,
    async again(error, failed, asked, context) {
      const { model } = modelOf(asked);
      // The call was tried on each of its servers. If no others are connected, this is an outage.
      const isElsewhere = connected().some((server) => !failed.servers.has(server));
      if (error.kind === 'model_unavailable' && !isElsewhere) throw error;
      if (asked.label !== undefined) model.labels.forget(asked.label);
      await model.look({ isOutdated: true, over: halfTime(context) });
      const next = await resolve(asked, context);
      // After NOT_FOUND the balancer goes to another server.
      if (error.kind !== 'model_not_found' && isDeepStrictEqual(next, failed)) throw error;
      return next;
    },
  };
}

/** The model of a request, and the error while it has no version that can answer. */
type Asked = {
  readonly card: ModelCard;
  readonly model: Pick<WatchedModel, 'labels' | 'versions' | 'look'>;
  readonly versions: ModelVersions;
  readonly unavailable: () => GatewayError;
};

/** The version of requests that name none. */
async function newest({ card, model, versions, unavailable }: Asked, context: Context): Promise<Routed> {
  // A server may have come since the last poll.
  if (!versions.newest && !versions.isBeingChecked()) await model.look(shortly());
  await waitWhile(() => !versions.newest && versions.isBeingChecked(), versions, context);
  if (versions.newest) return { ...versions.newest, card };
  throw unavailable();
}

/** A version that the request names. */
async function numbered(
  { card, model, versions, unavailable }: Asked,
  version: number,
  context: Context,
): Promise<Routed> {
  const found = () => versions.all.find((served) => served.version === version);
  // The servers may have loaded it since the last poll.
  if (!found()) await model.look(shortly());
  await waitWhile(() => !versions.find(version) && versions.isBeingChecked(version), versions, context);
  const choice = versions.find(version);
  if (choice) return { ...choice, card };
  if (versions.all.length === 0) throw unavailable();
  throw notProven(`version ${version} of ${card.name}`, found()?.verdict);
}

/** Why a version that the request names does not answer. */
function notProven(version: string, verdict: Verdict | undefined): GatewayError {
  if (!verdict) return new GatewayError('model_not_found', `query version: no model server has ${version}`);
  const problem = 'problem' in verdict ? verdict.problem : 'its check has not ended';
  if (verdict.kind === 'refused') return new GatewayError('version_not_proven', `${version} never answers: ${problem}`);
  const detail = `${version} cannot answer yet: ${problem}; try again later`;
  return new GatewayError('version_not_proven', detail, { isUnavailable: true, retryAfterS: 1 });
}

/** The number that a label stands for. A version that is gone means that the label has moved. */
async function labelled(
  { labels, versions }: Pick<WatchedModel, 'labels' | 'versions'>,
  label: string,
): Promise<number> {
  const version = await labels.version(label);
  if (versions.find(version)) return version;
  labels.forget(label);
  return labels.version(label);
}

function shortly() {
  return { isOutdated: false, over: AbortSignal.timeout(LOOK_MS) };
}

/** Waits for changes while `condition` holds, for half of the time left. */
async function waitWhile(
  condition: () => boolean,
  versions: Pick<ModelVersions, 'changed'>,
  context: Context,
): Promise<void> {
  if (!condition()) return;
  const over = halfTime(context);
  const isOver = once(over, 'abort');
  while (condition() && !over.aborted) await Promise.race([versions.changed, isOver]);
}

/** Aborted when half of the request's time left has passed: the rest is for its own work. */
function halfTime({ signal, deadlineMs }: Context): AbortSignal {
  const leftMs = Math.max(0, deadlineMs - performance.now());
  return AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs / 2))]);
}
