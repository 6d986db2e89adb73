/** Large answers of model servers to tables, all of them at the same time. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { IMAGE_ENV, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { GrpcClient, PREDICTION_SERVICE } from '../grpc-client.ts';
import { startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';

const CALLS = 16;
const ROWS = 8;
const COLUMNS = 250_000;
const ANSWER_BYTES = ROWS * COLUMNS * 4;
/** MAX_INSTANCES x MAX_OUTPUT_BYTES: two of the answers. All of them are 128 MB. */
const ANSWERS_MB = 16;
const MAX_GROWTH_BYTES = 90e6;

const BODY = JSON.stringify({
  parameters: { binary_data_output: true },
  inputs: [{ name: 'x', datatype: 'FP32', shape: [ROWS, 1], data: Array(ROWS).fill(1) }],
});

/** A model server that answers when `together` calls have come. */
async function start(t: TestContext) {
  const signature = {
    inputs: { x: { dtype: 'DT_FLOAT', shape: [-1, 1] } },
    outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, COLUMNS] } },
  };
  const shape = { dim: [{ size: ROWS }, { size: COLUMNS }] };
  const y = { dtype: 'DT_FLOAT', tensor_shape: shape, tensor_content: Buffer.alloc(ANSWER_BYTES) };
  let together = 1;
  let all = Promise.withResolvers<void>();
  let came = 0;
  const model = await startModelServer({
    ...signature,
    models: { table: signature },
    async onPredict() {
      came += 1;
      if (came === together) all.resolve();
      await all.promise;
      return { y };
    },
  });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    ...IMAGE_ENV,
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t, {}),
    GRPC_PORT: '0',
    DECODERS: '1',
    MAX_IN_FLIGHT: String(CALLS),
    MAX_INSTANCES: String(ANSWERS_MB),
    MAX_BODY_BYTES: '4MB',
  });
  const wait = (calls: number) => {
    [together, came, all] = [calls, 0, Promise.withResolvers<void>()];
  };
  return { gateway, wait };
}

type Outcome = { readonly status: number | string; readonly retryAfter: string | null; readonly bytes: number };

async function overRest({ url }: RunningGateway): Promise<Outcome> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/v2/models/table/infer`, { method: 'POST', headers, body: BODY });
  const bytes = (await response.arrayBuffer()).byteLength;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), bytes };
}

/** TF-Serving's Predict, which passes as it is. */
async function overGrpc(client: GrpcClient): Promise<Outcome> {
  const tensor_shape = { dim: [{ size: ROWS }, { size: 1 }] };
  const x = { dtype: 'DT_FLOAT', tensor_shape, tensor_content: Buffer.alloc(4 * ROWS) };
  let retryAfter: string | null = null;
  const onMetadata = (metadata: { get(name: string): unknown[] }) => {
    retryAfter = String(metadata.get('retry-after')[0] ?? '');
  };
  try {
    const request = { model_spec: { name: 'table' }, inputs: { x } };
    type Answer = { outputs: { y: { tensor_content: Buffer } } };
    const { outputs } = await client.call<Answer>(PREDICTION_SERVICE, 'Predict', request, { onMetadata });
    return { status: 200, retryAfter, bytes: outputs.y.tensor_content.length };
  } catch (thrown) {
    const { code, metadata } = thrown as { code: number; metadata: { get(name: string): unknown[] } };
    return { status: code === 14 ? 503 : `gRPC ${code}`, retryAfter: String(metadata.get('retry-after')[0]), bytes: 0 };
  }
}

async function residentBytes({ process: { pid } }: RunningGateway, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
}

test(`A26: ${CALLS} answers of 8 MB that come at once: those that have no room are refused at once`, async (t) => {
  const { gateway, wait } = await start(t);
  const client = new GrpcClient(gateway.grpcTarget);
  t.after(() => client.close());
  await until(async () => (await overRest(gateway)).status === 200);
  for (const [protocol, ask] of [
    ['REST', () => overRest(gateway)],
    ['gRPC', () => overGrpc(client)],
  ] as const) {
    const before = await residentBytes(gateway, 'VmRSS');
    wait(CALLS);
    const outcomes = await Promise.all(Array.from({ length: CALLS }, ask));
    const grown = (await residentBytes(gateway, 'VmHWM')) - before;
    const answered = outcomes.filter(({ status }) => status === 200);
    const refused = outcomes.filter(({ status, retryAfter }) => status === 503 && retryAfter === '1');
    const counts = `${answered.length} answered, ${refused.length} refused`;
    t.diagnostic(`came: ${protocol}: ${counts}, ${Math.round(grown / 1e6)} MB more`);
    assert.equal(answered.length + refused.length, CALLS, JSON.stringify(outcomes));
    assert.ok(answered.length >= 1 && answered.every(({ bytes }) => bytes >= ANSWER_BYTES), counts);
    assert.ok(refused.length >= 1, counts);
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`);
    wait(1);
    assert.equal((await ask()).status, 200, 'the memory is free again');
  }
});
