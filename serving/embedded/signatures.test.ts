import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ModelVersionStatus } from './protocol.ts';
import { addModel, addVersion, onnxModel } from './testing/onnx-models.ts';
import { floats, refusal, startServer, temporaryFolder, until } from './testing/server.ts';

const WIDTH = 1000;
const WEIGHTS = Float32Array.from({ length: WIDTH }, (_, index) => index / 4);

/** y[n,WIDTH] = WEIGHTS + x, or WEIGHTS - x. */
function weighted(operator: 'Add' | 'Sub', inside?: Buffer): Buffer {
  return onnxModel({
    inputs: [{ name: 'x', shape: ['n', WIDTH] }],
    outputs: [{ name: 'y', shape: ['n', WIDTH] }],
    nodes: [[operator, ['w', 'x'], 'y']],
    constants: [{ name: 'w', shape: [WIDTH], data: WEIGHTS, ...(inside && { inside }) }],
  });
}

const model = weighted('Add');
const minus = weighted('Sub', model);
const tens = floats(new Array(WIDTH).fill(10), [1, WIDTH]);

for (const flags of [[], ['--enable_batching']]) {
  test(`each ONNX file is a signature and can use the weights of model.onnx ${flags}`, async (t) => {
    const folder = temporaryFolder(t);
    const base = join(folder, 'm');
    addVersion(base, 1, model, { minus });
    const { client } = await startServer(t, folder, '--model_name=m', `--model_base_path=${base}`, ...flags);
    const ask = async (signature_name: string) => {
      const { model_spec: spec, outputs } = await client.predict('m', { x: tens }, { spec: { signature_name } });
      return [spec.signature_name, outputs.y?.float_val.at(-1)];
    };
    assert.ok(minus.length < model.length / 2, 'the weights are stored once');
    assert.deepEqual(await Promise.all(['', 'minus', 'serving_default', 'minus'].map(ask)), [
      ['serving_default', 259.75],
      ['minus', 239.75],
      ['serving_default', 259.75],
      ['minus', 239.75],
    ]);
    const none = 'Serving signature key "none" not found.';
    await assert.rejects(ask('none'), refusal(status.FAILED_PRECONDITION, none));
  });
}

test('a signature with bfloat16 can use the weights of model.onnx', async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, 'm');
  const half = onnxModel({
    inputs: [
      { name: 'h', type: 'BFLOAT16', shape: ['n'] },
      { name: 'x', shape: ['n', WIDTH] },
    ],
    outputs: [
      { name: 'same', type: 'BFLOAT16', shape: ['n'] },
      { name: 'y', shape: ['n', WIDTH] },
    ],
    nodes: [
      ['Identity', ['h'], 'same'],
      ['Sub', ['w', 'x'], 'y'],
    ],
    constants: [{ name: 'w', shape: [WIDTH], data: WEIGHTS, inside: model }],
  });
  addVersion(base, 1, model, { half });
  const { client } = await startServer(t, folder, '--model_name=m', `--model_base_path=${base}`);
  const h = { dtype: 'DT_BFLOAT16', tensor_shape: { dim: [{ size: 1 }] }, half_val: [0x4049] };
  const { outputs } = await client.predict('m', { h, x: tens }, { spec: { signature_name: 'half' } });
  assert.deepEqual([outputs.same?.dtype, outputs.same?.half_val], ['DT_BFLOAT16', [0x4049]]);
  assert.equal(outputs.y?.float_val.at(-1), 239.75);
});

test('a version with a broken signature fails to load until its file is complete', async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, 'm');
  addVersion(base, 1, addModel(1));
  const { client } = await startServer(t, folder, '--model_name=m', `--model_base_path=${base}`);
  const error = async (version: number) => {
    type Response = { model_version_status: ModelVersionStatus[] };
    const spec = { name: 'm', version: { value: version } };
    const { model_version_status: found } = await client.call<Response>('GetModelStatus', { model_spec: spec });
    return found[0]?.state === 'END' ? found[0].status : undefined;
  };
  const ended = (version: number) => until(async () => (await error(version).catch(() => undefined)) !== undefined);

  addVersion(base, 2, model, { minus: minus.subarray(0, -20) });
  await ended(2);
  const file = join(base, '2', 'minus.onnx');
  assert.deepEqual(await error(2), { error_code: 'DATA_LOSS', error_message: `Can't parse ${file} as binary proto` });
  assert.deepEqual(await client.predictY('m', [0]), [1]);
  writeFileSync(file, minus);
  await until(async () => (await client.states('m'))[0]?.[1] === 'AVAILABLE');

  addVersion(base, 3, addModel(3), { minus });
  await ended(3);
  assert.match((await error(3))?.error_message ?? '', /^Can't load .*minus\.onnx: .*External initializer: w offset/);
  assert.equal((await client.predict('m', { x: tens })).model_spec.version?.value, '2');
});
