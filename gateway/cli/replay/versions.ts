/** Waits until a gateway serves the versions that are compared. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../config/read.ts';
import type { ListedModel } from '../../model/list.ts';
import { causeOf, routeOf } from '../gateway/address.ts';

const PATIENCE_MS = 120_000;
const POLL_MS = 200;

/** The model, when its servers have loaded both versions. Throws ConfigError for a version that they do not have or cannot load. */
export async function servedModel(
  base: string,
  name: string,
  versions: readonly number[],
  headers: Readonly<Record<string, string>>,
): Promise<ListedModel> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const model = await listed(base, name, headers);
    const states = versions.map((version) => model.versions.find((one) => one.version === version));
    if (states.every((one) => one?.state === 'AVAILABLE' && one.problem === undefined)) return model;
    for (const [index, one] of states.entries()) {
      const known = model.versions.map(({ version }) => version).join(', ') || 'none';
      if (!one) throw new ConfigError(`${name}: no model server has version ${versions[index]}; there are ${known}`);
      if (one.problem !== undefined) throw new ConfigError(`${name}: version ${one.version}: ${one.problem}`);
      if (one.state === 'END') throw new ConfigError(`${name}: version ${one.version} could not be loaded`);
    }
    if (performance.now() > giveUpMs) throw new ConfigError(`${name}: versions ${versions.join(' and ')} do not load`);
    await sleep(POLL_MS);
  }
}

async function listed(base: string, name: string, headers: Readonly<Record<string, string>>): Promise<ListedModel> {
  const url = routeOf(base, '/models', '--gateway');
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new ConfigError(`${url.origin}: no gateway answers there (${causeOf(cause)})`, { cause });
  });
  const text = await response.text();
  if (!response.ok) throw new ConfigError(`${url.href}: ${response.status} ${text.slice(0, 500)}`);
  const { models } = JSON.parse(text) as { readonly models: readonly ListedModel[] };
  const found = models.find((model) => model.name === name);
  if (found) return found;
  throw new ConfigError(`the gateway has no model ${name}; there are ${models.map((model) => model.name).join(', ')}`);
}
