/** `explain`: what has moved a score, on every protocol that has parameters, in front of a model server. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { GrpcClient, INFERENCE_SERVICE } from '../grpc-client.ts';
import { floatTensor, type ModelServer, type PredictCall, startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const SIDE = 32;
const CORNER = 8;
const CARDS = {
  corner: `name: corner\nimage: {size: [${SIDE}, ${SIDE}], resize: nearest, scale: div255}\nclasses: [dark, bright]\n`,
  sum: 'name: sum\nbackground: background.json\n',
  bare: 'name: bare\n',
  encoded: 'name: encoded\nimage: {encoded: true}\nclasses: [a, b]\n',
  taken: 'name: taken\n',
};
const TABLE = {
  inputs: { age: { dtype: 'DT_FLOAT', shape: [-1] }, job: { dtype: 'DT_STRING', shape: [-1, 1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const MODELS = {
  corner: {
    inputs: { x: { dtype: 'DT_FLOAT', shape: [-1, SIDE, SIDE, 3] } },
    outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, 2] } },
  },
  sum: TABLE,
  bare: TABLE,
  encoded: {
    inputs: { x: { dtype: 'DT_STRING', shape: [-1] } },
    outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, 2] } },
  },
  taken: { ...TABLE, outputs: { explanations: { dtype: 'DT_FLOAT', shape: [-1] } } },
  // Without a model.yaml.
  vector: {
    inputs: { v: { dtype: 'DT_DOUBLE', shape: [-1, 3] } },
    outputs: { label: { dtype: 'DT_STRING', shape: [-1] }, z: { dtype: 'DT_DOUBLE', shape: [-1, 2] } },
  },
};

// biome-ignore lint/suspicious/noExplicitAny: the messages of five protocols
type Json = any;

let model: ModelServer;
let gateway: RunningGateway;
/** Predicts wait for it. */
let gate: Promise<void> = Promise.resolve();

before(async (t) => {
  model = await startModelServer({ ...TABLE, models: MODELS, names: Object.keys(MODELS), onPredict: answerOf });
  const models = await modelsFolder(t as TestContext, CARDS);
  const records = {
    instances: [
      { age: 10, job: 'clerk' },
      { age: 30, job: 'pilot' },
    ],
  };
  await writeFile(path.join(models, 'sum', 'background.json'), JSON.stringify(records));
  await mkdir(path.join(models, 'bare', 'parity'));
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: models,
    GRPC_PORT: '0',
    EXPLAIN_MAX_CALLS: '500',
    EXPLAIN_CONCURRENCY: '1',
  });
  await gateway.ready();
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  model.close();
});

const floatsOf = (bytes: Uint8Array = new Uint8Array()) => new Float32Array(new Uint8Array(bytes).buffer);

/** `bright` is the mean of the upper left corner; tables answer twice the age, and 5 more for a pilot. */
async function answerOf({ spec, inputs, raw }: PredictCall): Promise<object> {
  await gate;
  if (spec.name === 'corner') {
    const pixels = floatsOf(inputs.x?.tensor_content);
    const rows = inputs.x?.shape[0] ?? 0;
    const means = Array.from({ length: rows }, (_, row) => cornerOf(pixels.subarray(row * SIDE * SIDE * 3)));
    return {
      y: floatTensor(
        [rows, 2],
        means.flatMap((mean) => [0, mean]),
      ),
    };
  }
  if (spec.name === 'vector') {
    const values = new Float64Array(new Uint8Array(inputs.v?.tensor_content ?? []).buffer);
    const rows = values.length / 3;
    const z = Array.from({ length: rows }, (_, row) => {
      const [a = 0, b = 0, c = 0] = values.subarray(3 * row);
      return [a + 2 * b, a * c];
    });
    return {
      label: { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: rows }] }, string_val: z.map(() => Buffer.from('l')) },
      z: {
        dtype: 'DT_DOUBLE',
        tensor_shape: { dim: [{ size: rows }, { size: 2 }] },
        tensor_content: Buffer.from(Float64Array.from(z.flat()).buffer),
      },
    };
  }
  const ages = floatsOf(inputs.age?.tensor_content);
  const { job } = (raw.request as Json).inputs;
  const jobs = job.string_val.map(String);
  const values = [...ages].map((age, row) => 2 * age + (jobs[row] === 'pilot' ? 5 : 0));
  return { [spec.name === 'taken' ? 'explanations' : 'y']: floatTensor([ages.length], values) };
}

function cornerOf(pixels: Float32Array): number {
  let sum = 0;
  for (let y = 0; y < CORNER; y += 1) {
    for (const sample of pixels.subarray(3 * y * SIDE, 3 * (y * SIDE + CORNER))) sum += sample;
  }
  return sum / (CORNER * CORNER * 3);
}

async function send(route: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${gateway.url}${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
async function post(route: string, body: unknown, headers?: Readonly<Record<string, string>>) {
  const response = await send(route, body, headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}
const near = (actual: unknown, expected: number, tolerance = 1e-4) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) < tolerance, `${actual}, expected ${expected}`);

/** Dark, with a bright upper left corner. */
const encoded = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#202020' } })
  .composite([
    { input: { create: { width: CORNER, height: CORNER, channels: 3, background: '#f0f0f0' } }, top: 0, left: 0 },
  ])
  .png()
  .toBuffer();
const picture = { b64: encoded.toString('base64') };
const OCCLUSION = 'model=corner&explain=occlusion&explain.baseline=black&explain.window=8&explain.stride=8';
const PILOT = { age: 40, job: ['pilot'] };

test('/predict explains a picture by occlusion: the corner has the whole score', async () => {
  const { status, body } = await post(`/predict?${OCCLUSION}`, picture);
  assert.equal(status, 200, JSON.stringify(body));
  const { explanations, bright } = body;
  near(bright, 240 / 255);
  const { attributions, completeness, ...others } = explanations;
  near(others.score, 240 / 255);
  assert.deepEqual(others, {
    method: 'occlusion',
    target: 'bright',
    baseline: 'black',
    baseline_score: 0,
    score: bright,
    standard_error: null,
    calls: 18,
  });
  assert.deepEqual([completeness.tolerance, completeness.holds], [null, null]);
  const { height, width, rows, columns, values } = attributions;
  assert.deepEqual([height, width, rows, columns], [SIDE, SIDE, 4, 4]);
  for (const [cell, value] of values.flat().entries()) near(value, cell === 0 ? 240 / 255 : 0);

  const other = await post(`/predict?${OCCLUSION}&explain.target=dark`, picture);
  assert.deepEqual([other.body.explanations.target, other.body.explanations.score], ['dark', 0]);
});

test('/predict explains a picture by Shapley values of superpixels, which add up', async () => {
  const { body } = await post('/predict?model=corner&explain=shapley&explain.baseline=mean&explain.regions=8', picture);
  const { attributions, standard_error, completeness, calls, score, baseline_score } = body.explanations;
  assert.equal(completeness.holds, true);
  near(completeness.sum, score - baseline_score, 1e-6);
  assert.equal(attributions.regions.length, standard_error.length);
  const best = attributions.regions.toSorted((one: Json, other: Json) => other.attribution - one.attribution)[0];
  assert.deepEqual(best.box.slice(0, 2), [0, 0]);
  assert.ok(calls <= 500);
  const runs = attributions.labels.filter((_: number, index: number) => index % 2 === 1);
  assert.equal(
    runs.reduce((sum: number, run: number) => sum + run, 0),
    SIDE * SIDE,
  );
});

test('several instances have a list; one that cannot be read has none', async () => {
  const { body } = await post(`/predict?${OCCLUSION}`, { instances: [picture, { b64: 'AAAA' }] });
  assert.equal(body.predictions.length, 2);
  assert.deepEqual([body.explanations.length, body.explanations[0].calls, body.explanations[1]], [2, 18, null]);
  const again = await post(`/predict?${OCCLUSION}&format=list`, { instances: [picture] });
  assert.deepEqual(again.body.explanations, [body.explanations[0]]);
});

test('Accept: image/png and explain.format=png give the heat map', async () => {
  const accepted = await send(`/predict?${OCCLUSION}`, picture, { Accept: 'image/png' });
  const asked = await send(`/predict?${OCCLUSION}&explain.format=png`, picture);
  const [first, second] = [await accepted.bytes(), await asked.bytes()];
  assert.equal(accepted.headers.get('content-type'), 'image/png');
  assert.deepEqual(first, second);
  const { width, format } = await sharp(first).metadata();
  assert.deepEqual([width, format], [640, 'png']);
  const json = await send(`/predict?${OCCLUSION}`, picture, { Accept: '*/*' });
  assert.equal(json.headers.get('content-type'), 'application/json');
  await json.body?.cancel();
  const two = await post(`/predict?${OCCLUSION}&explain.format=png`, { instances: [picture, picture] });
  assert.deepEqual([two.status, two.body.detail], [400, 'query explain.format: png is for one picture; leave it out']);
});

test('/predict explains records by their features, against the background of model.yaml', async () => {
  for (const method of ['shapley', 'occlusion']) {
    const { status, body } = await post(`/predict?model=sum&explain=${method}`, PILOT);
    assert.equal(status, 200, JSON.stringify(body));
    near(body.y, 85);
    const { attributions, score, baseline_score, baseline, target } = body.explanations;
    assert.deepEqual([score, baseline_score, baseline, target], [85, 42.5, '2 records of background.json', 'y']);
    near(attributions.age, 40);
    near(attributions.job, 2.5);
  }
});

test('without any background a record is compared with zeros and empty texts', async () => {
  const { body } = await post('/predict?model=bare&explain=shapley', { instances: [PILOT, { age: 1, job: ['x'] }] });
  const [first, second] = body.explanations;
  assert.equal(first.baseline, 'zeros and empty texts');
  near(first.attributions.age, 80);
  near(first.attributions.job, 5);
  near(second.attributions.age, 2);
  near(second.attributions.job, 0);
});

test("Vertex AI's, SageMaker's and MLflow's form: parameters", async () => {
  const parameters = { explain: 'shapley', 'explain.samples': 4 };
  const body = { instances: [PILOT], parameters };
  const { body: answer } = await post('/invocations', body, { 'X-Amzn-SageMaker-Target-Model': 'sum' });
  near(answer.predictions[0].y, 85);
  near(answer.explanations[0].attributions.age, 40);
  const pictures = { instances: [picture], parameters: { explain: 'occlusion', 'explain.budget': 50 } };
  const seen = await post('/invocations', pictures, { 'X-Amzn-SageMaker-Target-Model': 'corner' });
  assert.equal(seen.body.explanations[0].attributions.height, SIDE);
  assert.ok(seen.body.explanations[0].calls <= 50);
});

test('the Open Inference Protocol: an output with the JSON, over REST and gRPC, also for a model without a model.yaml', async () => {
  const inputs = [{ name: 'v', datatype: 'FP64', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }];
  const parameters = { explain: 'shapley', 'explain.target': 'z[1]' };
  const { status, body } = await post('/v2/models/vector/infer', { parameters, inputs });
  assert.equal(status, 200, JSON.stringify(body));
  const output = body.outputs.find(({ name }: Json) => name === 'explanations');
  assert.deepEqual([output.datatype, output.shape], ['BYTES', [2]]);
  const [first, second] = output.data.map((text: string) => JSON.parse(text));
  // z[1] is a product: both factors have half of it.
  assert.deepEqual([first.target, first.score, second.score], ['z[1]', 3, 24]);
  near(first.attributions['v[0]'], 1.5);
  near(first.attributions['v[1]'], 0);
  near(second.attributions['v[2]'], 12);

  const client = new GrpcClient(gateway.grpcTarget);
  try {
    const answer = await client.call<Json>(INFERENCE_SERVICE, 'ModelInfer', {
      model_name: 'corner',
      parameters: { explain: { string_param: 'occlusion' }, 'explain.stride': { int64_param: 8 } },
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [encoded] } }],
    });
    const index = answer.outputs.findIndex(({ name }: Json) => name === 'explanations');
    const text = answer.outputs[index].contents?.bytes_contents?.[0];
    assert.equal(JSON.parse(text.toString()).method, 'occlusion');
  } finally {
    client.close();
  }
});

test('what cannot be explained is refused by the field, before the model is asked', async () => {
  const cases: readonly [route: string, body: unknown, status: number, detail: string | RegExp][] = [
    ['/predict?model=sum&explain=lime', PILOT, 400, /^query explain: occlusion or shapley or /],
    [
      '/predict?model=sum&explain=shapley&explain.window=3',
      PILOT,
      400,
      'query explain.window: is not for shapley; leave it out',
    ],
    [
      '/predict?model=sum&explain=shapley&explain.budget=501',
      PILOT,
      400,
      'query explain.budget: at most 500 (EXPLAIN_MAX_CALLS is 500)',
    ],
    [
      '/predict?model=sum&explain=shapley&explain.target=q',
      PILOT,
      400,
      'query explain.target: q is no number of the answer; known are y',
    ],
    [
      '/predict?model=sum&explain=shapley&explain.format=png',
      PILOT,
      400,
      'query explain.format: png is for one picture; leave it out',
    ],
    [
      '/predict?model=sum&explain=shapley&explain.baseline=blur',
      PILOT,
      400,
      'query explain.baseline: is for pictures; leave it out',
    ],
    ['/predict?model=sum&explain=xrai', PILOT, 422, /^query explain: xrai .*; this version has occlusion, shapley$/],
    [
      `/predict?${OCCLUSION}&explain.baseline=noise`.replace('explain.baseline=black&', ''),
      picture,
      400,
      /^query explain\.baseline: occlusion takes blur, mean, /,
    ],
    [
      '/predict?model=taken&explain=shapley',
      PILOT,
      400,
      'query explain: the model has a class or an output called explanations; send instances',
    ],
    [
      '/predict?model=corner&explain=occlusion&explain.sride=3',
      picture,
      400,
      /^query explain\.sride: not a parameter; known are /,
    ],
  ];
  for (const [route, body, status, detail] of cases) {
    const { status: got, body: problem } = await post(route, body);
    assert.equal(got, status, `${route}: ${JSON.stringify(problem)}`);
    if (typeof detail === 'string') assert.equal(problem.detail, detail);
    else assert.match(problem.detail, detail);
  }
  const inputs = [{ name: 'v', datatype: 'FP64', shape: [1, 3], data: [1, 2, 3] }];
  const png = await post('/v2/models/vector/infer', {
    parameters: { explain: 'shapley', 'explain.format': 'png' },
    inputs,
  });
  assert.deepEqual(
    [png.status, png.body.error],
    [400, 'parameters.explain.format: png is not offered here; leave it out.'],
  );
});

test('beyond EXPLAIN_CONCURRENCY a request gets 429 with Retry-After, and predictions go on', async () => {
  const held = Promise.withResolvers<void>();
  gate = held.promise;
  const both = [1, 2].map(() => post('/predict?model=sum&explain=shapley', PILOT));
  // One of them has the place, and waits for the model.
  const refused = await Promise.race(both);
  gate = Promise.resolve();
  held.resolve();
  assert.deepEqual([refused.status, refused.body.kind], [429, 'overloaded']);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  const text = 'explain: 1 requests are explained already (EXPLAIN_CONCURRENCY); try again later.';
  assert.equal(refused.body.detail, text);
  const statuses = await Promise.all(both.map(async (one) => (await one).status));
  assert.deepEqual(statuses.sort(), [200, 429]);
  assert.equal((await post('/predict?model=sum', PILOT)).status, 200);
});

test('metrics count explanations and their calls', async () => {
  const metrics = await gateway.metrics();
  assert.match(metrics, /^tensorgate_explanation_calls_total\{method="shapley"\} [1-9]/m);
  assert.match(metrics, /^tensorgate_explanation_duration_seconds_count\{method="occlusion"\} [1-9]/m);
});

test('a model that decodes pictures itself is not explained, and the answer says why', async () => {
  const { status, body } = await post('/predict?model=encoded&explain=occlusion', picture);
  assert.deepEqual([status, body.kind], [422, 'explanation_unavailable'], JSON.stringify(body));
  assert.match(body.detail, /the model decodes pictures itself; only pictures that the gateway decodes are explained/);
});
