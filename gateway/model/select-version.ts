/** Selects a version that was checked: the one for requests that name none, or the one that a number or a label names. */
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Choice } from './choice.ts';
import { type Context, waitWhile } from './half-time.ts';
import type { Verdict } from './served.ts';
import type { ModelVersions } from './versions.ts';
import type { WatchedModel } from './watch-model.ts';

/** A version that may answer, and the servers among which its requests are balanced. */
export type Routed = Pick<Choice, 'version' | 'metadata' | 'binding' | 'servers'> & { readonly card: ModelCard };

/** A request without a version that can answer waits this long for the servers: one of them may hang. */
const LOOK_MS = 1000;

/** The model of a request, and the error while it has no version that can answer. */
export type Asked = {
  readonly card: ModelCard;
  readonly model: Pick<WatchedModel, 'labels' | 'versions' | 'look'>;
  readonly versions: ModelVersions;
  readonly unavailable: () => GatewayError;
};

/** The version of requests that name none. */
export async function newest({ card, model, versions, unavailable }: Asked, context: Context): Promise<Routed> {
  // A server may have come since the last poll.
  if (!versions.newest && !versions.isBeingChecked()) await model.look(shortly());
  await waitWhile(() => !versions.newest && versions.isBeingChecked(), versions, context);
  if (versions.newest) return { ...versions.newest, card };
  throw unavailable();
}

/** A version that the request names. */
export async function numbered(
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
  if (!verdict) return new GatewayError('model_not_found', `version: no model server has ${version}`);
  const problem = 'problem' in verdict ? verdict.problem : 'its check has not ended';
  if (verdict.kind === 'refused') return new GatewayError('version_not_proven', `${version} never answers: ${problem}`);
  const detail = `${version} cannot answer yet: ${problem}; try again later`;
  return new GatewayError('version_not_proven', detail, { isUnavailable: true, retryAfterS: 1 });
}

/** The number that a label stands for. A version that is gone means that the label has moved. */
export async function labelled(
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
