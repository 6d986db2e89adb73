/** `tensorgate models canary`, `shadow`, `promote` and `abort`: which version answers, and which is tried, in model.yaml. */
import type { Traffic, VersionName } from '../../domain/traffic.ts';
import type { ModelCard } from '../../model/card.ts';
import { numberOf, readCard, versionsInService, writeCard } from './card-file.ts';
import type { ModelsContext } from './context.ts';
import type { CardChange } from './edit-card.ts';
import { refused } from './failure.ts';
import { labelsOf } from './labels.ts';

export type CanaryOptions = {
  readonly version: VersionName;
  /** A percentage, such as 10%. */
  readonly share: string;
  /** As in model.yaml: `header x-user-id`. Unset: as it is. */
  readonly sticky?: string | undefined;
};

/**
 * Gives a version a share of the requests that name none. Writes the stable version too: without it the newest other version answers, so
 * the next push would change it. Throws ModelsError.
 */
export async function runCanary(model: string, options: CanaryOptions, context: ModelsContext): Promise<void> {
  const { version, share, sticky } = options;
  const { card } = await readCard(context.models, model);
  const canary = await numberOf(model, version, context);
  const stable = card.traffic?.stable ?? (await stableWithout(model, canary, context));
  const changes: CardChange[] = [
    { path: ['traffic', 'stable'], value: stable },
    { path: ['traffic', 'canary'], value: { version, share } },
    ...(sticky === undefined ? [] : [{ path: ['traffic', 'sticky'], value: sticky } as const]),
  ];
  const text = `version ${version} gets ${share} of the requests that name no version, and version ${stable} the others`;
  await writeCard(model, changes, context, () => text);
}

/** Sends copies of a share of the requests to a version. Throws ModelsError. */
export async function runShadow(
  model: string,
  { version, share }: Omit<CanaryOptions, 'sticky'>,
  context: ModelsContext,
): Promise<void> {
  const { card } = await readCard(context.models, model);
  // Of servers of its own only the gateway knows the versions.
  if (!card.shadow?.backend) await numberOf(model, version, context);
  const changes: CardChange[] = [{ path: ['shadow'], value: { version, share } }];
  await writeCard(model, changes, context, () => `version ${version} gets copies of ${share} of the requests`);
}

/** Makes a version the stable one, by default the canary, and ends its trial. Throws ModelsError. */
export async function runPromote(
  model: string,
  version: VersionName | undefined,
  context: ModelsContext,
): Promise<void> {
  const { card } = await readCard(context.models, model);
  const { traffic, shadow } = card;
  const promoted = version ?? traffic?.canary?.version;
  if (promoted === undefined) {
    throw refused(`${model}: has no canary in model.yaml; --version N names the version to promote`);
  }
  await numberOf(model, promoted, context);
  const changes: CardChange[] = [
    { path: ['traffic', 'stable'], value: promoted },
    { path: ['traffic', 'canary'], value: undefined },
    ...(shadow?.version === promoted ? [{ path: ['shadow'], value: undefined } as const] : []),
  ];
  await writeCard(model, changes, context, () => `version ${promoted} answers the requests that name no version`);
}

/** Ends the trial of the canary and of the shadow: the stable version answers again. Throws ModelsError. */
export async function runAbort(model: string, context: ModelsContext): Promise<void> {
  const { card } = await readCard(context.models, model);
  const { traffic, shadow } = card;
  if (!traffic?.canary && !shadow) throw refused(`${model}: has neither a canary nor a shadow in model.yaml`);
  const changes: CardChange[] = [
    // Without it the newest version would answer, which is mostly the canary itself.
    ...(traffic?.canary
      ? [{ path: ['traffic', 'stable'], value: await stableOf(model, traffic, context) } as const]
      : []),
    { path: ['traffic', 'canary'], value: undefined },
    { path: ['shadow'], value: undefined },
  ];
  await writeCard(model, changes, context, (now) => abortedText(card, now));
}

/** The stable version of model.yaml, or the one that answers now. The canary may be gone: then it ends all the same. */
async function stableOf(model: string, { stable, canary }: Traffic, context: ModelsContext): Promise<VersionName> {
  if (stable !== undefined) return stable;
  const version = canary?.version;
  const number = typeof version === 'string' ? (await labelsOf(context.models, model)).get(version) : version;
  return stableWithout(model, number, context);
}

function abortedText({ traffic: before, shadow }: ModelCard, { traffic }: ModelCard): string {
  const ended = [
    ...(before?.canary ? [`the canary ${before.canary.version}`] : []),
    ...(shadow ? [`the shadow ${shadow.version}`] : []),
  ];
  const answers = traffic?.stable === undefined ? 'the newest version' : `version ${traffic.stable}`;
  return `ended ${ended.join(' and ')}; ${answers} answers the requests that name no version`;
}

/** The newest version in service other than the canary: the one that answers where model.yaml names none. */
async function stableWithout(model: string, canary: number | undefined, context: ModelsContext): Promise<number> {
  const others = (await versionsInService(model, context)).filter((version) => version !== canary);
  const newest = others.at(-1);
  if (newest !== undefined) return newest;
  throw refused(`${model}: no version other than the canary is in service, so none can be the stable version`);
}
