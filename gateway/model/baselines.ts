/** The baselines of versions, for requests. */
import { stat } from 'node:fs/promises';
import { type Baseline, baselineFile, readBaseline } from './baseline.ts';
import type { ModelCard } from './card.ts';

/** The baseline of a version. Undefined without one. Throws BaselineError for a file that cannot be used. */
export type FindBaseline = (served: {
  readonly card: ModelCard;
  readonly version: number;
}) => Promise<Baseline | undefined>;

type Known = { readonly changedMs: number; readonly baseline: Baseline | undefined };

/** Makes the function. A file is parsed again only when it has changed. */
export function createFindBaseline(): FindBaseline {
  const known = new WeakMap<ModelCard, Map<number, Known>>();
  return async ({ card, version }) => {
    if (card.folder === '') return undefined;
    const about = await stat(baselineFile(card.folder, version)).catch(() => undefined);
    if (!about) return undefined;
    const versions = known.get(card) ?? new Map<number, Known>();
    known.set(card, versions);
    const last = versions.get(version);
    if (last?.changedMs === about.mtimeMs) return last.baseline;
    const baseline = await readBaseline(card.folder, version);
    versions.set(version, { changedMs: about.mtimeMs, baseline });
    return baseline;
  };
}
