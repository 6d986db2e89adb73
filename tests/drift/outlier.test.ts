/** `outlier=true`: how unusual an input is, on every protocol that has parameters, in front of a model server. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import type { Baseline } from '../../gateway/model/baseline.ts';
import { quantilesOf } from '../../gateway/model/outliers.ts';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { GrpcClient, INFERENCE_SERVICE } from '../grpc-client.ts';
import { floatTensor, type ModelServer, type PredictCall, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';

const photo = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
const dark = await sharp(photo).linear(0.2).jpeg().toBuffer();

const TABLE = {
  inputs: { age: { dtype: 'DT_FLOAT', shape: [-1] }, job: { dtype: 'DT_STRING', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const CARDS = {
  'clothing-model': CARD,
  table: 'name: table\n',
  bare: 'name: bare\n',
  broken: 'name: broken\n',
  taken: 'name: taken\n',
};
const TAKEN = { ...TABLE, outputs: { outlier: { dtype: 'DT_FLOAT', shape: [-1] } } };

const percents = Float64Array.from({ length: 101 }, (_, percent) => percent);
/** Energies from -12 to -2, and distances from 0 to 4. */
const QUANTILES = {
  energy: quantilesOf(percents.map((percent) => percent / 10 - 12)),
  distance: quantilesOf(percents.map((percent) => percent / 25)),
};

const BASELINES: Readonly<Record<string, Baseline>> = {
  'clothing-model': {
    schema: 1,
    model: 'clothing-model',
    version: 1,
    rows: 100,
    features: { brightness: { kind: 'number', edges: [100], counts: [50, 50], missing: 0 } },
    outliers: { ...QUANTILES, typical: { brightness: { center: 130, spread: 30 } } },
  },
  table: {
    schema: 1,
    model: 'table',
    version: 1,
    rows: 100,
    features: {
      'input.age': { kind: 'number', edges: [40], counts: [50, 50], missing: 0 },
      'input.job': { kind: 'category', counts: { clerk: 80, pilot: 20 }, other: 0, missing: 0 },
    },
    outliers: { distance: QUANTILES.distance, typical: { 'input.age': { center: 40, spread: 10 } } },
  },
};

let model: ModelServer;
let gateway: RunningGateway;
let models: string;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    models: { table: TABLE, bare: TABLE, broken: TABLE, taken: TAKEN },
    names: Object.keys(CARDS),
    onPredict: answerOf,
  });
  models = await modelsFolder(t as TestContext, CARDS);
  for (const [name, baseline] of Object.entries(BASELINES)) await writeBaseline(name, JSON.stringify(baseline));
  await writeBaseline('broken', '{"schema": 1}');
  await writeBaseline('taken', JSON.stringify({ ...BASELINES.table, model: 'taken' }));
  gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: models, GRPC_PORT: '0' });
  await gateway.ready();
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  model.close();
});

async function writeBaseline(name: string, text: string): Promise<void> {
  await mkdir(path.join(models, name, 'baseline'), { recursive: true });
  await writeFile(path.join(models, name, 'baseline', '1.json'), text);
}

/** Logits of 1 for each picture, so the energy is -1 - ln 10; every table answers its age. */
function answerOf({ spec, inputs }: PredictCall): object {
  if (spec.name === 'clothing-model') {
    const rows = inputs.input_8?.shape[0] ?? 0;
    return { dense_7: floatTensor([rows, 10], Array(rows * 10).fill(1)) };
  }
  const ages = new Float32Array(new Uint8Array(inputs.age?.tensor_content ?? []).buffer);
  return { [spec.name === 'taken' ? 'outlier' : 'y']: floatTensor([ages.length], [...ages]) };
}

const ENERGY = -1 - Math.log(10);
const near = (actual: unknown, expected: number) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) < 1e-4, `${actual}, expected ${expected}`);
const post = async (route: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${gateway.url}${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Json };
};
// biome-ignore lint/suspicious/noExplicitAny: the answers of five protocols
type Json = any;

const usual = { b64: photo.toString('base64') };
const darkened = { b64: dark.toString('base64') };

test('/predict: pictures with their energy and distance; a darkened one is the most unusual, and says why', async () => {
  const { status, body } = await post('/predict?outlier=true', { instances: [{ ...usual, id: 7 }, darkened] });
  assert.equal(status, 200);
  const [first, second] = body.predictions;
  assert.deepEqual(Object.keys(first).slice(0, 3), ['id', 'outlier', 'dress']);
  near(first.outlier.energy, ENERGY);
  near(first.outlier.energy_percentile, (ENERGY + 12) * 10);
  assert.equal(second.outlier.feature, 'brightness');
  assert.ok(second.outlier.distance_percentile > first.outlier.distance_percentile);
  assert.ok(second.outlier.distance > 2);

  const flat = await post('/predict?outlier=true&format=list&top=1', usual);
  assert.deepEqual(Object.keys(flat.body), ['outlier', 'predictions']);
  const listed = await post('/predict?outlier=true&format=list', { instances: [usual] });
  assert.deepEqual(Object.keys(listed.body.predictions[0]), ['outlier', 'scores']);
  const without = await post('/predict?outlier=false', usual);
  assert.ok(!('outlier' in without.body));
});

test('/predict: records with their distance; numbers far away and rare categories', async () => {
  const { body } = await post('/predict?model=table&outlier=true', {
    instances: [
      { age: 40, job: 'clerk' },
      { age: 70, job: 'clerk' },
      { age: 40, job: 'astronaut' },
    ],
  });
  const [usualOne, old, astronaut] = body.predictions;
  assert.deepEqual(usualOne, {
    outlier: { energy: null, energy_percentile: null, distance: 0, distance_percentile: 0, feature: 'input.age' },
    y: 40,
  });
  near(old.outlier.distance, 3 / Math.sqrt(2));
  near(old.outlier.distance_percentile, (25 * 3) / Math.sqrt(2));
  assert.deepEqual([old.outlier.feature, astronaut.outlier.feature], ['input.age', 'input.job']);
  near(astronaut.outlier.distance, Math.sqrt(Math.log(160)));
});

test("Vertex AI's, SageMaker's and MLflow's form: parameters.outlier", async () => {
  const picture = await post('/invocations', { instances: [usual], parameters: { outlier: true } });
  assert.equal(picture.status, 200);
  near(picture.body.predictions[0].outlier.energy, ENERGY);
  const target = { 'X-Amzn-SageMaker-Target-Model': 'table' };
  const records = { inputs: { age: [40, 70], job: ['clerk', 'clerk'] }, params: { outlier: true } };
  const { body } = await post('/invocations', records, target);
  near(body.predictions[1].outlier.distance, 3 / Math.sqrt(2));
  const wrong = await post('/invocations', { ...records, params: { outlier: 'yes' } }, target);
  assert.deepEqual([wrong.status, wrong.body.detail], [400, 'params.outlier: true or false']);
});

test('the Open Inference Protocol: outputs beside those of the model, over REST and gRPC', async () => {
  const inputs = [
    { name: 'age', datatype: 'FP32', shape: [2], data: [40, 70] },
    { name: 'job', datatype: 'BYTES', shape: [2], data: ['clerk', 'clerk'] },
  ];
  const { body } = await post('/v2/models/table/infer', { parameters: { outlier: true }, inputs });
  assert.deepEqual(
    body.outputs.map(({ name, datatype, shape }: Json) => [name, datatype, shape]),
    [
      ['y', 'FP32', [2]],
      ['outlier_distance', 'FP64', [2]],
      ['outlier_distance_percentile', 'FP64', [2]],
    ],
  );
  near(body.outputs[1].data[1], 3 / Math.sqrt(2));
  const pictures = { name: 'input_8', datatype: 'BYTES', shape: [2], data: [usual, darkened] };
  const picture = await post('/v2/models/clothing-model/infer', { parameters: { outlier: true }, inputs: [pictures] });
  assert.deepEqual(
    picture.body.outputs.map(({ name }: Json) => name),
    ['dense_7', ...['energy', 'energy_percentile', 'distance', 'distance_percentile'].map((name) => `outlier_${name}`)],
  );
  const wrong = await post('/v2/models/table/infer', { parameters: { outlier: 1 }, inputs });
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'parameters.outlier: needs true or false.']);

  using client = new (class extends GrpcClient implements Disposable {
    [Symbol.dispose]() {
      this.close();
    }
  })(gateway.grpcTarget);
  const answer = await client.call<Json>(INFERENCE_SERVICE, 'ModelInfer', {
    model_name: 'table',
    parameters: { outlier: { bool_param: true } },
    inputs: [
      { name: 'age', datatype: 'FP32', shape: [1], contents: { fp32_contents: [70] } },
      { name: 'job', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('clerk')] } },
    ],
  });
  const [, distance] = answer.outputs;
  assert.equal(distance.name, 'outlier_distance');
  near(distance?.contents?.fp64_contents?.[0], 3 / Math.sqrt(2));
});

test('a version without a baseline: the error names the field and the fix, on every protocol', async () => {
  const fix = 'version 1 of bare has no baseline; make one with tensorgate baseline bare --data …, or leave it out';
  const record = { age: 1, job: 'a' };
  const plain = await post('/predict?model=bare&outlier=true', record);
  assert.deepEqual(
    [plain.status, plain.body.kind, plain.body.detail],
    [400, 'invalid_request', `query outlier: ${fix}`],
  );
  const body = { instances: [record], parameters: { outlier: true } };
  const invoked = await post('/invocations', body, { 'X-Amzn-SageMaker-Target-Model': 'bare' });
  assert.equal(invoked.body.detail, `parameters.outlier: ${fix}`);
  const inputs = [
    { name: 'age', datatype: 'FP32', shape: [1], data: [1] },
    { name: 'job', datatype: 'BYTES', shape: [1], data: ['a'] },
  ];
  const inferred = await post('/v2/models/bare/infer', { parameters: { outlier: true }, inputs });
  assert.deepEqual([inferred.status, inferred.body.error], [400, `parameters.outlier: ${fix}`]);
});

test('other words than true and false, a file that cannot be used, and a name that is taken', async () => {
  const word = await post('/predict?outlier=yes', usual);
  assert.deepEqual([word.status, word.body.detail], [400, 'query outlier: true or false']);
  const broken = await post('/predict?model=broken&outlier=true', { age: 1, job: 'a' });
  assert.match(broken.body.detail, /^query outlier: broken: baseline\/1\.json: /);
  const taken = await post('/predict?model=taken&outlier=true', { age: 1, job: 'a' });
  assert.equal(taken.body.detail, 'query outlier: the model has an output or a class of this name; leave it out');
});

test('a baseline that appears, changes or goes is noticed by the next request', async () => {
  const record = { age: 60, job: 'clerk' };
  const query = '?model=bare&outlier=true';
  assert.equal((await predict(gateway, record, query)).status, 400);
  await writeBaseline('bare', JSON.stringify({ ...BASELINES.table, model: 'bare' }));
  assert.equal((await predict(gateway, record, query)).status, 200);
  await rm(path.join(models, 'bare', 'baseline'), { recursive: true });
  assert.equal((await predict(gateway, record, query)).status, 400);
});
