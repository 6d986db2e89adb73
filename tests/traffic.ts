/** A model with several versions on one model server, for tests of its traffic. */
import type { TestContext } from 'node:test';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, type ModelServer, type OnPredict, type PredictCall, startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';

/** Inputs of pictures of 8 x 8, outputs for the classes a, b and c. */
export const SIGNATURE = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1, 8, 8, 3] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, 3] } },
} as const;

const CARD = 'name: pets\nimage: {size: [8, 8], scale: tf}\nclasses: [a, b, c]\n';

export const PICTURE = new URL('../serving/models/clothing-model/parity/palette.png', import.meta.url);

/** The scores 3, 2 and 1 for each row, or others. */
export function scores({ inputs }: PredictCall, of: readonly number[] = [3, 2, 1]) {
  const rows = inputs.x?.shape[0] ?? 1;
  return { y: floatTensor([rows, 3], Array.from({ length: rows }, () => of).flat()) };
}

/** Starts a server that has these versions of every model. */
export async function startVersions(
  t: TestContext,
  versions: readonly number[],
  onPredict: OnPredict,
): Promise<ModelServer> {
  const served = { versions: new Map(versions.map((version) => [version, SIGNATURE])), labels: new Map() };
  const server = await startModelServer({ ...SIGNATURE, served, onPredict });
  t.after(() => server.close());
  return server;
}

/** Starts a gateway for the model `pets` with this traffic, and waits until it is ready. */
export async function startTraffic(
  t: TestContext,
  server: ModelServer,
  traffic: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const MODELS = await modelsFolder(t, { pets: `${CARD}${traffic}\n` });
  const gateway = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: server.target, ...settings });
  await gateway.ready();
  return gateway;
}

/** The value of a metric, with these labels among others, in all its series together. */
export async function metric(
  gateway: RunningGateway,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = (await gateway.metrics()).split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line));
  const series = lines.filter((line) => wanted.every((label) => line.includes(label)));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
