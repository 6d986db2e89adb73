/** Which version a verdict is about, and which one it is compared with. */
import type { VersionName } from '../../../domain/traffic.ts';
import type { ModelCard } from '../../../model/card.ts';
import { refused } from '../failure.ts';
import { mostAsked, type Trial } from './counts.ts';
import type { Sample } from './samples.ts';

/** Numbers of labels. */
export type Labels = ReadonlyMap<string, number>;

/** The canary of model.yaml, or its shadow; the one with the number `version` where it is given. Throws `refused` if there is none. */
export function candidateOf({ name, traffic, shadow }: ModelCard, labels: Labels, version: number | undefined): Trial {
  const trials: Trial[] = [
    ...(traffic?.canary ? [{ version: numbered(traffic.canary.version, labels), role: 'canary' } as const] : []),
    ...(shadow ? [{ version: numbered(shadow.version, labels), role: 'shadow' } as const] : []),
  ];
  const found = trials.find((trial) => version === undefined || trial.version === version);
  if (found) return found;
  const there =
    trials.map((trial) => `${trial.role} ${trial.version}`).join(' and ') || 'neither a canary nor a shadow';
  throw refused(`${name}: ${version === undefined ? '' : `version ${version} is not tried; `}model.yaml has ${there}`);
}

/** The stable version of model.yaml, else the one that answered most requests that named none. Throws `refused` without one. */
export function referenceOf(
  { name, traffic }: ModelCard,
  labels: Labels,
  candidate: Trial,
  samples: readonly Sample[],
): Trial {
  const version =
    traffic?.stable === undefined ? mostAsked(samples, 'stable', candidate.version) : numbered(traffic.stable, labels);
  if (version !== undefined) return { version, role: 'stable' };
  throw refused(`${name}: no version answered requests that name none; --against N names the one to compare with`);
}

function numbered(name: VersionName, labels: Labels): number {
  const number = typeof name === 'string' ? labels.get(name) : name;
  if (number !== undefined) return number;
  throw refused(`no version has the label ${name}`);
}
