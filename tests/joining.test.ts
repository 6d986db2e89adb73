/** JOIN_WINDOW: requests of one image that come at once share a Predict, and nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import sharp from 'sharp';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import {
  floatTensor,
  isWarmUp,
  type ModelServer,
  type PredictCall,
  startModelServer,
  XCEPTION,
} from './model-server.ts';
import { CLASSES, modelsFolder } from './models.ts';
import { until } from './until.ts';

const SIDE = 299;
const ROW_BYTES = SIDE * SIDE * 3 * 4;
/** The gray that this model chokes on. */
const POISON = 13;

let model: ModelServer;
let joining: RunningGateway;
let plain: RunningGateway;
let calls: PredictCall[] = [];
/** What the model server waits for before it answers. */
let gate: Promise<void> = Promise.resolve();

/** The gray of every picture in a Predict, as its pixels say. */
function graysOf({ inputs }: PredictCall): number[] {
  const { tensor_content: bytes, shape } = inputs.input_8 ?? assert.fail('no input_8');
  return Array.from({ length: shape[0] ?? 0 }, (_, row) =>
    Math.round((bytes.readFloatLE(row * ROW_BYTES) + 1) * 127.5),
  );
}

/** The scores of a picture that is gray all over: its gray, plus the number of the class. */
const scoresOf = (gray: number) => Object.fromEntries(CLASSES.map((name, index) => [name, gray + index]));

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    async onPredict(call) {
      const grays = graysOf(call);
      if (!isWarmUp(call)) calls.push(call);
      await gate;
      if (grays.includes(POISON)) throw { code: status.INTERNAL, details: 'cannot compute this' };
      return {
        dense_7: floatTensor(
          [grays.length, 10],
          grays.flatMap((gray) => Object.values(scoresOf(gray))),
        ),
      };
    },
  });
  const settings = { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t as TestContext) };
  [joining, plain] = await Promise.all([startGateway({ ...settings, JOIN_WINDOW: '500ms' }), startGateway(settings)]);
  await Promise.all([joining.ready(), plain.ready()]);
});

after(async () => {
  assert.deepEqual(await Promise.all([joining.stop(), plain.stop()]), [0, 0]);
  model.close();
});

beforeEach(() => {
  calls = [];
  gate = Promise.resolve();
});

async function picture(gray: number): Promise<string> {
  const create = { width: SIDE, height: SIDE, channels: 3, background: { r: gray, g: gray, b: gray } } as const;
  return (await sharp({ create }).png().toBuffer()).toString('base64');
}

const pictures = (...grays: number[]) => Promise.all(grays.map(picture));

async function ask(gateway: RunningGateway, b64: string, query = '') {
  const response = await predict(gateway, { b64 }, query);
  return { status: response.status, version: response.headers.get('x-model-version'), body: await response.json() };
}

const good = (gray: number) => ({ status: 200, version: '1', body: scoresOf(gray) });

test('F17: requests at once share a Predict, and each has the scores of its own picture', async (t) => {
  const grays = [20, 40, 60, 80, 100, 120, 140, 160, 180];
  const images = await pictures(...grays);
  const answers = await Promise.all(images.map((b64) => ask(joining, b64)));
  const rows = calls.map((call) => graysOf(call).length);
  t.diagnostic(`came: Predicts of ${rows.join(', ')} rows for ${grays.length} requests`);
  assert.deepEqual(answers, grays.map(good));
  assert.ok(calls.length >= 2, 'more rows than there is room for');
  assert.ok(calls.length < grays.length, `${calls.length} Predicts`);
  assert.ok(Math.max(...rows) <= 8);
});

test('a picture that cannot be read has its own error and takes no row', async () => {
  const [one = '', other = ''] = await pictures(20, 40);
  const answers = await Promise.all(
    [one, Buffer.from('no picture').toString('base64'), other].map((b64) => ask(joining, b64)),
  );
  assert.deepEqual(answers[0], good(20));
  assert.equal(answers[1]?.status, 422);
  assert.deepEqual(answers[2], good(40));
  assert.equal(calls.flatMap(graysOf).length, 2);
});

test('a picture that the model fails on fails alone', async () => {
  const [one = '', bad = '', other = ''] = await pictures(20, POISON, 40);
  const answers = await Promise.all([one, bad, other].map((b64) => ask(joining, b64)));
  assert.deepEqual([answers[0], answers[2]], [good(20), good(40)]);
  assert.equal(answers[1]?.status, 502);
});

test('a client that hangs up takes nobody along', async () => {
  const open = Promise.withResolvers<void>();
  gate = open.promise;
  const [one = '', gone = '', other = ''] = await pictures(20, 40, 60);
  const answers = [one, other].map((b64) => ask(joining, b64));
  const controller = new AbortController();
  const left = fetch(`${joining.url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ b64: gone }),
    signal: controller.signal,
  });
  await until(() => calls.flatMap(graysOf).length === 3);
  controller.abort();
  await assert.rejects(left, { name: 'AbortError' });
  await until(() => joining.log.some(({ kind }) => kind === 'client_gone'));
  open.resolve();
  assert.deepEqual(await Promise.all(answers), [good(20), good(60)]);
});

test('when all clients have hung up, the Predict is cancelled', async () => {
  const open = Promise.withResolvers<void>();
  gate = open.promise;
  const controller = new AbortController();
  const [one = '', other = ''] = await pictures(20, 40);
  const left = [one, other].map((b64) =>
    fetch(`${joining.url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ b64 }),
      signal: controller.signal,
    }),
  );
  await until(() => calls.flatMap(graysOf).length === 2);
  const cancelled = calls.map(({ raw }) => once(raw, 'cancelled'));
  controller.abort();
  for (const each of left) await assert.rejects(each, { name: 'AbortError' });
  await Promise.all(cancelled);
  open.resolve();
});

test('versions are never joined', async () => {
  const queries = ['', '?version=1', '?version=2', '', '?version=1', '?version=2'];
  const images = await pictures(20, 40, 60, 80, 100, 120);
  const answers = await Promise.all(images.map((b64, index) => ask(joining, b64, queries[index])));
  assert.deepEqual(
    answers.map(({ status }) => status),
    queries.map(() => 200),
  );
  const asked = calls.flatMap((call) => graysOf(call).map((gray) => [gray, call.spec.version?.value]));
  assert.deepEqual(
    new Map(asked as [number, string][]),
    new Map<number, string | undefined>([
      [20, undefined],
      [40, '1'],
      [60, '2'],
      [80, undefined],
      [100, '1'],
      [120, '2'],
    ]),
  );
  assert.equal(calls.length < queries.length, true);
});

test('off by default: as many Predicts as requests; and a request of several images is one of its own', async () => {
  const [one = '', other = ''] = await pictures(20, 40);
  assert.deepEqual(await Promise.all([ask(plain, one), ask(plain, other)]), [good(20), good(40)]);
  assert.equal(calls.length, 2);
  calls = [];
  const batch = predict(joining, { instances: [{ b64: one }, { b64: other }] });
  const [together] = await Promise.all([batch, ask(joining, one)]);
  assert.deepEqual(await together.json(), { predictions: [scoresOf(20), scoresOf(40)] });
  assert.deepEqual(calls.map((call) => graysOf(call).length).sort(), [1, 2]);
});
