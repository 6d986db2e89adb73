/** TF-Serving's REST API: what the gateway adds to it. tests/tf-serving/rest.test.ts compares the rest with TF-Serving. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import { type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, type ModelServer, type PredictCall, startModelServer, XCEPTION } from './model-server.ts';
import { CARD, modelsFolder } from './models.ts';
import { type Origin, startOrigin } from './origin.ts';

const jpeg = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const b64 = jpeg.toString('base64');
const TABLE = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const ENCODED = {
  inputs: { picture: { dtype: 'DT_STRING', shape: [-1] } },
  outputs: {
    scores: { dtype: 'DT_FLOAT', shape: [-1, 2] },
    size: { dtype: 'DT_FLOAT', shape: [-1] },
  },
};
const WORDS = {
  inputs: { x: { dtype: 'DT_STRING', shape: [-1] } },
  outputs: { y: { dtype: 'DT_STRING', shape: [-1] } },
};
const PAIR = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] }, z: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const KEYED = {
  inputs: { id: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const ECHO = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1] } },
  outputs: { id: { dtype: 'DT_FLOAT', shape: [-1] } },
};
const CARDS = {
  'clothing-model': CARD,
  table: 'name: table\n',
  encoded: 'name: encoded\nimage: {encoded: true}\nclasses: [a, b]\n',
};

let model: ModelServer;
let origin: Origin;
let gateway: RunningGateway;
let settings: Record<string, string>;
let answer: (call: PredictCall) => object | Promise<object>;

before(async (t) => {
  origin = await startOrigin({ '/a.jpg': jpeg });
  model = await startModelServer({
    ...XCEPTION,
    models: { table: TABLE, words: WORDS, pair: PAIR, keyed: KEYED, echo: ECHO, encoded: ENCODED },
    version: 3,
    onPredict: (call) => answer(call),
  });
  settings = {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext, CARDS),
    FETCH_ALLOW_PRIVATE: 'true',
    MAX_BODY_BYTES: '8MB',
    MAX_INSTANCES: '4',
    REQUEST_TIMEOUT: '3s',
  };
  gateway = await startGateway(settings);
  await gateway.ready();
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  model.close();
  await origin.close();
});

beforeEach(() => {
  answer = answerOf;
});

/** A row of scores whose first number is the mean of the row's pixels; and what the other models answer. */
function answerOf({ spec, inputs, raw }: PredictCall): object {
  const [input] = Object.values(inputs);
  const same = { ...input, tensor_shape: shape(input?.shape ?? []) };
  if (spec.name === 'words') return { y: (raw.request as { inputs: Record<string, object> }).inputs.x };
  if (spec.name === 'table' || spec.name === 'keyed') return { y: same };
  if (spec.name === 'pair') return { y: same, z: same };
  if (spec.name === 'echo') return { id: same };
  const rows = input?.shape[0] ?? 0;
  if (spec.name === 'encoded') {
    return {
      scores: floatTensor([rows, 2], Array(rows).fill([0.25, 0.5]).flat()),
      size: floatTensor([rows], Array(rows).fill(7)),
    };
  }
  const pixels = new Float32Array(new Uint8Array(input?.tensor_content ?? []).buffer);
  const length = pixels.length / rows;
  const scores = Array.from({ length: rows }, (_, row) => {
    const own = pixels.subarray(row * length, (row + 1) * length);
    return [own.reduce((sum, value) => sum + value, 0) / length, ...Array(9).fill(0)];
  });
  return { dense_7: floatTensor([rows, 10], scores.flat()) };
}

function shape(sizes: readonly number[]) {
  return { dim: sizes.map((size) => ({ size })) };
}

type Body = { readonly error?: string; readonly predictions?: readonly unknown[]; readonly outputs?: unknown };

async function send(path: string, body: unknown, headers: Record<string, string> = {}, { url } = gateway) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${url}/v1/models/${path}`, { method: 'POST', body: text, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

test('a request without a version goes to the proven one, and the answer names it', async () => {
  const { status: code, headers, body } = await send('table:predict', { instances: [1.5, 2] });
  assert.deepEqual([code, body], [200, { predictions: [1.5, 2] }]);
  assert.equal(headers.get('x-model-version'), '3');
  assert.equal(headers.get('content-type'), 'application/json');
  const { spec } = model.calls.at(-1) ?? assert.fail('no call');
  assert.deepEqual([spec.name, spec.version], ['table', { value: '3' }]);
  const [line] = await gateway.linesOf(headers.get('x-request-id'));
  assert.deepEqual([line?.route, line?.model, line?.version], ['/v1/models/{model}:predict', 'table', 3]);
  assert.match(await gateway.metrics(), /route="\/v1\/models\/\{model\}:predict",status="200"/);
});

test('pictures by URL, as base64 and as pixels are instances of one request', async () => {
  const pixels = Array(299).fill(Array(299).fill([0.25, 0.25, 0.25]));
  const instances = [{ url: `${origin.url}/a.jpg` }, pixels, { b64 }, { input_8: { b64 } }];
  const { status: code, body } = await send('clothing-model:predict', { instances });
  assert.equal(code, 200, JSON.stringify(body));
  const means = (body.predictions as number[][]).map(([mean]) => mean);
  assert.equal(means[1], 0.25);
  assert.ok(means[0] !== 0.25 && Number.isFinite(means[0]));
  assert.deepEqual([means[2], means[3]], [means[0], means[0]]);
});

describe('ids', () => {
  test('an id comes back with its prediction, which is an object then', async () => {
    const one = await send('table:predict', { instances: [{ x: 1.5, id: 'a' }, { x: 2 }, { x: 3, id: null }] });
    assert.deepEqual([one.status, one.body], [200, { predictions: [{ id: 'a', y: 1.5 }, 2, 3] }]);
    const two = await send('pair:predict', { instances: [{ id: 7, x: 1 }, { x: 2 }] });
    assert.deepEqual(two.body.predictions, [
      { id: 7, y: 1, z: 1 },
      { y: 2, z: 2 },
    ]);
  });

  test('ids of 64 bits keep all digits, in large requests too', async () => {
    for (const count of [1, 5000]) {
      const rows = Array.from({ length: count }, (_, row) => `{"x": ${row}, "id": 9007199254740993}`);
      const response = await fetch(`${gateway.url}/v1/models/table:predict`, {
        method: 'POST',
        body: `{"instances": [${rows}]}`,
      });
      const text = await response.text();
      assert.ok(text.endsWith(`{"id":9007199254740993,"y":${count - 1}}]}`), text.slice(-100));
    }
  });

  test('an id stands beside a picture, and beside its error', async () => {
    const gone = { url: `${origin.url}/gone.jpg`, id: 1 };
    const instances = [gone, { b64, id: 2 }, { input_8: { b64 }, id: 3 }, { b64 }];
    const { status: code, body } = await send('clothing-model:predict', { instances });
    assert.equal(code, 200, JSON.stringify(body));
    const [failed, second, third, fourth] = body.predictions as Record<string, unknown>[];
    assert.deepEqual([failed?.id, Object.keys(failed ?? {})], [1, ['id', 'error']]);
    assert.deepEqual(
      [second, third],
      [2, 3].map((id) => ({ id, dense_7: fourth })),
    );
  });

  test('an input called id is an input', async () => {
    const { body } = await send('keyed:predict', { instances: [{ id: 1.5 }, { id: 2 }] });
    assert.deepEqual(body, { predictions: [1.5, 2] });
  });

  test('an id that cannot come back is refused with its place', async () => {
    const refused = async (path: string, instances: readonly object[]) => {
      const { status: code, body } = await send(path, { instances });
      assert.equal(code, 400);
      return body.error;
    };
    assert.equal(
      await refused('table:predict', [{ x: 1 }, { x: 1, id: [2] }]),
      'instances[1].id: expected a string or a number, got a list',
    );
    assert.equal(
      await refused('echo:predict', [{ x: 1, id: 2 }]),
      'instances[0].id: the model has an output of this name; leave it out',
    );
    answer = () => ({ y: floatTensor([1], [1]) });
    assert.equal(
      await refused('table:predict', [{ x: 1, id: 2 }, { x: 1 }]),
      'id: the model answers 1 rows for 2 instances; leave it out',
    );
  });
});

test('pixels alone are tensors, as in TF-Serving', async () => {
  const row = Array(299).fill(Array(299).fill([0.5, 0.5, 0.5]));
  const { body } = await send('clothing-model:predict', { inputs: [row] });
  assert.equal((body.outputs as number[][])[0]?.[0], 0.5);
});

test('a picture that fails has an error in place of its prediction; if all fail, the request does', async () => {
  const good = { b64 };
  const gone = { url: `${origin.url}/gone.jpg` };
  const some = await send('clothing-model:predict', { instances: [gone, good] });
  assert.equal(some.status, 200);
  assert.match(String((some.body.predictions as readonly Body[])[0]?.error), /^instances\[0\]\.url: /);
  assert.equal((some.body.predictions as readonly unknown[][])[1]?.length, 10);
  const all = await send('clothing-model:predict', { instances: [gone] });
  assert.equal(all.status, 422);
  assert.deepEqual(Object.keys(all.body), ['error']);
});

test('a model that decodes pictures itself gets their bytes, and answers all its outputs', async () => {
  const { status: code, body } = await send('encoded:predict', { instances: [{ b64 }, { picture: { b64 } }] });
  const prediction = { scores: [0.25, 0.5], size: 7 };
  assert.deepEqual([code, body], [200, { predictions: [prediction, prediction] }]);
  const { inputs } = model.calls.at(-1) ?? assert.fail('no call');
  assert.deepEqual(inputs.picture?.shape, [2]);
});

test('pictures in columns pass the check of their headers too', async () => {
  const bad = await send('encoded:predict', { inputs: [{ b64: 'AAAA' }] });
  assert.equal(bad.status, 422);
  assert.match(String(bad.body.error), /^picture\[0\] is not an image/);
  assert.equal((await send('encoded:predict', { inputs: [{ b64 }] })).status, 200);
});

const pixel = [0.5, 0.5, 0.5];
for (const [name, path, body, code, text] of [
  ['too many pictures', 'clothing-model:predict', { instances: Array(5).fill({ b64 }) }, 413, /MAX_INSTANCES/],
  ['a body above the limit', 'table:predict', `{"instances":[${'1,'.repeat(5e6)}1]}`, 413, /MAX_BODY_BYTES/],
  ['deep JSON', 'table:predict', `{"instances":${'['.repeat(1e5)}`, 400, /nested more than 64 levels deep/],
  [
    'pixels of another size',
    'clothing-model:predict',
    { instances: [{ b64 }, [[pixel]]] },
    400,
    /instances\[1\].*expected the shape/,
  ],
  ['a URL that is none', 'clothing-model:predict', { instances: [{ url: 'nowhere' }] }, 400, /instances\[0\]\.url/],
  ['300,000 numbers', 'table:predict', `{"instances":[${'1,'.repeat(3e5)}1]}`, 200, /^undefined$/],
  ['three million numbers', 'table:predict', `{"instances":[${'1,'.repeat(3e6)}1]}`, 413, /takes more memory/],
] as const) {
  test(`D13: ${name}`, async (t) => {
    const startedMs = performance.now();
    const came = await send(path, body);
    t.diagnostic(`came: ${came.status} after ${(performance.now() - startedMs).toFixed(0)} ms, ${came.body.error}`);
    assert.equal(came.status, code);
    assert.match(String(came.body.error), text);
  });
}

const SERVER_TEXT = 'Matrix size-incompatible: In[0]: [1,2], In[1]: [3,4]';
for (const [code, wanted, text] of [
  ['INVALID_ARGUMENT', 400, SERVER_TEXT],
  ['FAILED_PRECONDITION', 400, SERVER_TEXT],
  ['OUT_OF_RANGE', 400, SERVER_TEXT],
  ['UNAVAILABLE', 503, 'The model server is not reachable; try again.'],
  ['RESOURCE_EXHAUSTED', 429, 'The model server is at capacity; try again.'],
  ['INTERNAL', 502, 'The model server failed on the request.'],
] as const) {
  test(`E5: ${code} of the model server is ${wanted} on /v1`, async (t) => {
    answer = () => {
      throw { code: status[code], details: SERVER_TEXT };
    };
    const came = await send('table:predict', { instances: [1] });
    t.diagnostic(`came: ${came.status} ${came.body.error}`);
    assert.deepEqual([came.status, came.body.error], [wanted, text]);
    assert.equal(came.headers.get('retry-after'), wanted === 503 || wanted === 429 ? '1' : null);
  });
}

test('a client with a wrong tensor is told so, and it is no failure of the service', async () => {
  answer = () => {
    throw { code: status.INVALID_ARGUMENT, details: SERVER_TEXT };
  };
  const { headers } = await send('table:predict', { instances: [1] });
  const [line] = await gateway.linesOf(headers.get('x-request-id'));
  assert.deepEqual([line?.kind, line?.level], ['invalid_tensor', 'info']);
});

test('a hundred thousand strings pass both ways', async () => {
  const instances = Array.from({ length: 100_000 }, (_, row) => `word ${row}`);
  const { status: code, body } = await send('words:predict', { instances });
  assert.equal(code, 200, body.error);
  assert.ok(isDeepStrictEqual(body.predictions, instances));
});

test('a deadline is 504 with an error', async () => {
  answer = () => new Promise(() => undefined);
  const { status: code, body } = await send('table:predict', { instances: [1] });
  assert.deepEqual([code, Object.keys(body)], [504, ['error']]);
});

test('outputs without rows are a 400 in the words of TF-Serving', async () => {
  answer = () => ({ y: floatTensor([], [1]) });
  const { status: code, body } = await send('table:predict', { instances: [1] });
  assert.deepEqual([code, body.error], [400, 'Tensor name: y has no shape information ']);
});

test('401 and 503 are {"error"} too', async (t) => {
  const keys = await modelsFolder(t, { keys: `- name: shop\n  sha256: ${'a'.repeat(64)}\n` });
  const locked = await startGatewayFor(t, { ...settings, API_KEYS_FILE: `${keys}/keys/model.yaml` });
  const refused = await send('table:predict', {}, {}, locked);
  assert.deepEqual([refused.status, Object.keys(refused.body)], [401, ['error']]);
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="tensorgate"');
  const alone = await startGatewayFor(t, { ...settings, TF_SERVING_HOST: '127.0.0.1:1' });
  const away = await send('table:predict', { instances: [1] }, {}, alone);
  assert.deepEqual([away.status, Object.keys(away.body)], [503, ['error']]);
});

test('a large answer is the same as a small one', async () => {
  const instances = Array.from({ length: 20_000 }, (_, index) => index / 8);
  const { body } = await send('table:predict', { instances });
  assert.deepEqual(body.predictions, instances);
});

test('D9: other methods and paths below /v1/ are malformed requests, as in TF-Serving', async () => {
  for (const [method, path] of [
    ['PUT', 'table:predict'],
    ['GET', 'table:predict'],
    ['DELETE', 'table'],
    ['OPTIONS', 'table'],
    ['POST', 'table'],
    ['POST', 'a%zz:predict'],
  ] as const) {
    const response = await fetch(`${gateway.url}/v1/models/${path}`, { method });
    const { error } = (await response.json()) as Body;
    assert.equal(response.status, 400, `${method} ${path}`);
    assert.match(String(error), new RegExp(`^Malformed request: ${method} /v1/`));
  }
  assert.equal((await fetch(`${gateway.url}/v1`)).status, 404);
});
