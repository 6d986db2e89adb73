/** Versions that model.yaml names. */
import { refused } from './failure.ts';
import { modelPath } from './model-folder.ts';
import { readValidCard } from './records.ts';

/** Throws `refused` for a version that model.yaml names by its number: requests for it would fail. */
export async function checkNotInTraffic(models: string, model: string, version: number): Promise<void> {
  const { traffic, shadow } = (await readValidCard(modelPath(models, model))) ?? {};
  const roles = [
    ['the stable one', traffic?.stable, `promote ${model} --version N`],
    ['the canary', traffic?.canary?.version, `abort ${model}`],
    ['the shadow', shadow?.version, `abort ${model}`],
  ] as const;
  const [role, , how] = roles.find(([, named]) => named === version) ?? [];
  if (role === undefined) return;
  throw refused(`${model}: model.yaml has version ${version} as ${role}; first tensorgate models ${how}`);
}
