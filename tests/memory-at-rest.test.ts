/** Memory that large requests have taken is given back when the gateway rests. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { IMAGE_ENV, startGatewayFor } from './gateway.ts';
import { startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

/**
 * The code that the first large requests load and compile, and what malloc keeps between other memory: 25 to 60 MB were measured. Without
 * a collection at rest it is more than 110.
 */
const MAX_GROWTH_MB = 90;

const numbers = Array.from({ length: 1e6 }, (_, index) => Math.sin(index));
const JSON_BODY = JSON.stringify({ inputs: numbers });
const BYTES = new Uint8Array(Float32Array.from({ length: 5e6 }, (_, index) => index).buffer);
const HEAD = Buffer.from(
  JSON.stringify({
    parameters: { binary_data_output: true },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [5e6], parameters: { binary_data_size: BYTES.length } }],
  }),
);

test('a million numbers as JSON and 20 MB as binary data: the memory comes back', async (t) => {
  const info = { dtype: 'DT_FLOAT', shape: [-1] } as const;
  const signature = { inputs: { x: info }, outputs: { y: info } };
  const model = await startModelServer({
    ...signature,
    models: { echo: signature },
    onPredict: ({ inputs: { x } }) => ({ y: { ...x, tensor_shape: { dim: x?.shape.map((size) => ({ size })) } } }),
  });
  t.after(() => model.close());
  const MODELS = await modelsFolder(t, {});
  const gateway = await startGatewayFor(t, {
    ...IMAGE_ENV,
    MODELS,
    TF_SERVING_HOST: model.target,
    MAX_OUTPUT_BYTES: '64MB',
  });
  await gateway.ready();

  async function send(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', headers, body });
    const { byteLength } = await response.arrayBuffer();
    assert.equal(response.status, 200);
    return byteLength;
  }
  const residentMb = async () => {
    const status = await readFile(`/proc/${gateway.process.pid}/status`, 'utf8');
    return (1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])) / 1e6;
  };
  const sendJson = (body: string) => send('/v1/models/echo:predict', body);

  for (let request = 0; request < 200; request += 1) await sendJson('{"inputs":[1,2]}');
  const before = await residentMb();
  for (let request = 0; request < 4; request += 1) {
    await sendJson(JSON_BODY);
    const length = { 'Inference-Header-Content-Length': String(HEAD.length) };
    assert.ok((await send('/v2/models/echo/infer', Buffer.concat([HEAD, BYTES]), length)) > BYTES.length);
  }
  const under = await residentMb();
  await until(async () => (await residentMb()) < before + MAX_GROWTH_MB, 120_000);
  t.diagnostic([before, under, await residentMb()].map((mb) => `${mb.toFixed(0)} MB`).join(', '));
});
