/** Selects a version that was checked: by the split of model.yaml, or the one that a number or a label names. */
import type { TrafficRole, VersionName } from '../domain/traffic.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import type { Choice } from './choice.ts';
import { type Context, waitWhile } from './half-time.ts';
import type { Verdict } from './served.ts';
import { type Split, stableChoice } from './splits.ts';
import { roleOf, stickyKeyHash } from './traffic.ts';
import type { ModelVersions } from './versions.ts';
import type { WatchedModel } from './watch-model.ts';

/** A version that may answer, and the servers among which its requests are balanced. */
export type Routed = Pick<Choice, 'version' | 'metadata' | 'binding' | 'servers'> & {
  readonly card: ModelCard;
  readonly role: TrafficRole;
  /** Where the key of `traffic.sticky` chose the side. */
  readonly stickyKeyHash?: string | undefined;
};

/** A request without a version that can answer waits this long for the servers: one of them may hang. */
const LOOK_MS = 1000;

/** The model of a request, and the error while it has no version that can answer. */
export type Asked = {
  readonly card: ModelCard;
  readonly model: Pick<WatchedModel, 'labels' | 'splits' | 'versions' | 'look'>;
  readonly versions: ModelVersions;
  readonly unavailable: () => GatewayError;
  /** Whether the canary has lost its share. */
  readonly isWithdrawn: (card: ModelCard) => boolean;
};

/** The version of requests that name none: the canary by its share, else the stable one. */
export async function unnamed(asked: Asked, context: Context): Promise<Routed> {
  const { card, model, versions, isWithdrawn } = asked;
  const { traffic } = card;
  const split = await model.splits.of(traffic);
  if (!traffic) return stable(asked, split, context);
  const keyHash = stickyKeyHash(card.name, traffic, context);
  const isCanary = roleOf(card.name, traffic, context) === 'canary' && !isWithdrawn(card);
  if (split.canary !== undefined && isCanary) {
    const choice = versions.find(split.canary);
    if (choice) return { ...choice, card, role: 'canary', stickyKeyHash: keyHash };
  }
  // Also the requests of a canary that cannot answer.
  return { ...(await stable(asked, split, context)), stickyKeyHash: keyHash };
}

async function stable({ card, model, versions, unavailable }: Asked, given: Split, context: Context): Promise<Routed> {
  let split = given;
  const choice = () => stableChoice(versions, split);
  if (!choice() && !versions.isBeingChecked(split.stable)) {
    // A server may have come since the last poll, or the label has moved.
    await model.look(shortly());
    model.splits.forget(card.traffic);
    split = await model.splits.read(card.traffic);
  }
  await waitWhile(() => !choice() && versions.isBeingChecked(split.stable), versions, context);
  const chosen = choice();
  if (chosen) return { ...chosen, card, role: 'stable' };
  throw unavailable();
}

/**
 * A version that model.yaml names, for copies of requests: as it is known now. Without a name the stable one. Undefined while it
 * cannot answer.
 */
export async function known(
  { card, model, versions }: Pick<Asked, 'card' | 'model' | 'versions'>,
  name: VersionName | undefined,
): Promise<Routed | undefined> {
  const find = async () => {
    if (name === undefined) return stableChoice(versions, await model.splits.of(card.traffic));
    return versions.find(typeof name === 'string' ? await labelled(model, name) : name);
  };
  const choice = await find().catch((thrown: unknown) => {
    // A label that no server has, or that none can tell now.
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  });
  return choice && { ...choice, card, role: 'shadow' };
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
  if (choice) return { ...choice, card, role: 'named' };
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
