import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { predict, predictImage, type RunningGateway, startGateway } from './gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from './model-server.ts';
import { CLASSES, modelsFolder } from './models.ts';
import { type Origin, startOrigin } from './origin.ts';

const image = (name: string) => readFile(new URL(`golden/images/${name}`, import.meta.url));
const golden = JSON.parse(await readFile(new URL('golden/golden.json', import.meta.url), 'utf8'));
const [jpeg, png] = await Promise.all([image('jpg-420.jpg'), image('png-rgb8.png')]);

/** Scores that identify their row in the batch. */
const scoresOf = (row: number) => CLASSES.map((_, column) => row * 100 + ((column * 7) % 10) + 0.5);
const mapOf = (row: number) => Object.fromEntries(CLASSES.map((name, column) => [name, scoresOf(row)[column]]));

let model: ModelServer;
let origin: Origin;
let gateway: RunningGateway;

before(async (t) => {
  origin = await startOrigin({ '/a.jpg': jpeg, '/b.png': png });
  model = await startModelServer({
    ...XCEPTION,
    version: 3,
    onPredict({ inputs }) {
      const count = inputs.input_8?.shape[0] ?? 0;
      return { dense_7: floatTensor([count, 10], Array.from({ length: count }, (_, row) => scoresOf(row)).flat()) };
    },
  });
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    FETCH_ALLOW_PRIVATE: 'true',
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await origin.close();
  assert.equal(code, 0);
});

test('{"url"} returns every class in the order of model.yaml', async () => {
  const response = await predict(gateway, { url: `${origin.url}/a.jpg` });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('x-model-version'), '3');
  assert.match(
    response.headers.get('server-timing') ?? '',
    /^fetch;dur=[\d.]+, decode;dur=[\d.]+;desc=jpeg, predict;dur=[\d.]+, total;dur=[\d.]+$/,
  );
  const scores = (await response.json()) as object;
  assert.deepEqual(scores, mapOf(0));
  assert.deepEqual(Object.keys(scores), CLASSES);
});

test('the model server gets the tensor that Keras computes, under the input name of its signature', async () => {
  await predict(gateway, { url: `${origin.url}/a.jpg` });
  const { spec, inputs } = model.calls.at(-1) ?? assert.fail('no call');
  const input = inputs.input_8 ?? assert.fail('no input_8');
  assert.deepEqual(
    [spec.name, spec.signature_name, spec.version],
    ['clothing-model', 'serving_default', { value: '3' }],
  );
  assert.deepEqual([input.dtype, input.shape], ['DT_FLOAT', [1, 299, 299, 3]]);
  const expected = golden.images['jpg-420.jpg'].results['kih-xception-299'].sha256;
  assert.equal(createHash('sha256').update(input.tensor_content).digest('hex'), expected);
});

test('instances return one prediction each, in the same order', async () => {
  const b64 = png.toString('base64');
  const response = await predict(gateway, {
    instances: [{ url: `${origin.url}/a.jpg` }, { b64 }, { url: `${origin.url}/b.png` }],
  });
  assert.equal(response.status, 200);
  const { predictions } = (await response.json()) as { predictions: object[] };
  assert.equal(predictions.length, 3);
  // Rows are filled in the order of decoding. Each instance must get the scores of its own row.
  const { inputs } = model.calls.at(-1) ?? assert.fail('no call');
  const content = inputs.input_8?.tensor_content ?? Buffer.alloc(0);
  const hashes = [0, 1, 2].map((row) =>
    createHash('sha256')
      .update(content.subarray((row * content.length) / 3, ((row + 1) * content.length) / 3))
      .digest('hex'),
  );
  const hashOf = (name: string) => golden.images[name].results['kih-xception-299'].sha256;
  for (const [index, name] of ['jpg-420.jpg', 'png-rgb8.png', 'png-rgb8.png'].entries()) {
    const row = (predictions[index] as Record<string, number>).dress;
    assert.equal(hashes[Math.floor((row ?? -1) / 100)], hashOf(name));
  }
});

test('a list of one instance returns a list', async () => {
  const response = await predict(gateway, { instances: [{ b64: jpeg.toString('base64') }] });
  assert.deepEqual(await response.json(), { predictions: [mapOf(0)] });
});

test('b64 may use the URL-safe alphabet without padding', async () => {
  const response = await predict(gateway, { b64: jpeg.toString('base64url') });
  assert.deepEqual(await response.json(), mapOf(0));
});

test('an image as the body returns the flat form', async () => {
  const response = await predictImage(gateway, jpeg);
  assert.deepEqual(await response.json(), mapOf(0));
});

test('a form with one file returns the flat form, with several files a list', async () => {
  for (const count of [1, 2]) {
    const body = new FormData();
    for (let index = 0; index < count; index += 1)
      body.append('file', new Blob([new Uint8Array(jpeg)]), `${index}.jpg`);
    const response = await fetch(`${gateway.url}/predict`, { method: 'POST', body });
    const answer = (await response.json()) as { predictions?: object[] };
    if (count === 1) assert.deepEqual(answer, mapOf(0));
    else assert.equal(answer.predictions?.length, 2);
  }
});

test('an unreadable instance gets an error at its index; the others are scored', async () => {
  const instances = [
    { b64: jpeg.toString('base64') },
    { url: `${origin.url}/gone.jpg` },
    { b64: png.toString('base64') },
  ];
  const response = await predict(gateway, { instances });
  assert.equal(response.status, 200);
  const { predictions } = (await response.json()) as { predictions: Record<string, never>[] };
  assert.deepEqual(
    predictions.map((item) => Object.keys(item).length),
    [10, 1, 10],
  );
  const { kind, status, source_status, detail } = predictions[1]?.error ?? assert.fail('no error');
  assert.deepEqual({ kind, status, source_status }, { kind: 'source_failed', status: 422, source_status: 404 });
  assert.match(detail, /^instances\[1\]\.url: /);
  assert.deepEqual(model.calls.at(-1)?.inputs.input_8?.shape, [2, 299, 299, 3]);
});

test('an image that is decoded but cannot be resized takes no row of the batch', async () => {
  const background = { r: 9, g: 9, b: 9 };
  const tooWide = await sharp({ create: { width: 70_000, height: 1, channels: 3, background } })
    .png()
    .toBuffer();
  const instances = [tooWide, jpeg].map((bytes) => ({ b64: bytes.toString('base64') }));
  const { predictions } = (await (await predict(gateway, { instances })).json()) as { predictions: object[] };
  assert.deepEqual(predictions[1], mapOf(0));
  assert.equal((predictions[0] as { error: { kind: string } }).error.kind, 'image_too_large');
});

test('if no instance can be read, the answer is the first error', async () => {
  const response = await predict(gateway, { instances: [{ url: `${origin.url}/gone.jpg` }, { b64: 'AAAA' }] });
  assert.equal(response.status, 422);
});

test('top returns the K best classes, best first; probabilities sum to 1', async () => {
  const response = await predict(gateway, { url: `${origin.url}/a.jpg` }, '?top=3&scores=probabilities');
  const text = await response.text();
  const best = CLASSES.map((name, column) => [name, scoresOf(0)[column] ?? 0] as const).sort(([, a], [, b]) => b - a);
  assert.deepEqual(
    Object.keys(JSON.parse(text)),
    best.slice(0, 3).map(([name]) => name),
  );
  const all = (await (
    await predict(gateway, { url: `${origin.url}/a.jpg` }, '?scores=probabilities')
  ).json()) as object;
  assert.ok(Math.abs(Object.values(all).reduce((sum, value) => sum + value, 0) - 1) < 1e-12);
});

test('a version in the query is sent to the model server', async () => {
  await predict(gateway, { url: `${origin.url}/a.jpg` }, '?version=3&model=clothing-model');
  assert.equal(model.calls.at(-1)?.spec.version?.value, '3');
});

test('the request id of a client is returned and logged; an invalid one is replaced', async () => {
  const ask = (id: string) => predictImage(gateway, jpeg, { 'X-Request-Id': id });
  assert.equal((await ask('my-id-1')).headers.get('x-request-id'), 'my-id-1');
  assert.equal((await gateway.linesOf('my-id-1')).length, 1);
  assert.match((await ask('x'.repeat(200))).headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/);
});

test('metrics cover requests, stages, bytes, backend codes and the state of the model', async () => {
  const metrics = await gateway.metrics();
  for (const line of [
    /^tensorgate_requests_total\{route="\/predict",status="200",kind="none"\} \d+$/m,
    /^tensorgate_stage_duration_seconds_count\{stage="predict"\} \d+$/m,
    /^tensorgate_bytes_total\{of="tensor"\} \d+$/m,
    /^tensorgate_bytes_total\{of="image"\} \d+$/m,
    /^tensorgate_instances_total\{kind="source_failed"\} 1$/m,
    /^tensorgate_backend_calls_total\{method="Predict",code="OK"\} \d+$/m,
    /^tensorgate_model_ready\{model="clothing-model"\} 1$/m,
    /^tensorgate_model_parity\{model="clothing-model",state="unproven"\} 1$/m,
    /^tensorgate_requests_in_flight 0$/m,
    /^nodejs_eventloop_lag_seconds /m,
  ]) {
    assert.match(metrics, line);
  }
  assert.equal((await fetch(`${gateway.url}/metrics`)).status, 404);
});
