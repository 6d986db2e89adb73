/** Vertex AI's, SageMaker's and MLflow's requests, against a gateway with the embedded server. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { PICTURE } from './committed-model.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';

type Record = Readonly<{ [column: string]: string | number }>;
type Body = { readonly predictions: readonly unknown[]; readonly detail?: string; readonly kind?: string };

const CHURN = new URL('../serving/models/churn/parity/1.json', import.meta.url);
const { instances: records } = JSON.parse(await readFile(CHURN, 'utf8')) as { readonly instances: readonly Record[] };
const [first = {}] = records;
const columns = Object.keys(first);
const b64 = PICTURE.toString('base64');

const VERTEX = { AIP_HEALTH_ROUTE: '/v1/endpoints/7', AIP_PREDICT_ROUTE: '/v1/endpoints/7:predict' };

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway({ ...VERTEX, PORT: '1', AIP_HTTP_PORT: '0', MODEL_NAME: 'churn' });
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

async function send(path: string, body: unknown, headers: Readonly<{ [name: string]: string }> = {}) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body instanceof Uint8Array ? new Uint8Array(body) : typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

const PHOTOS = { 'X-Amzn-SageMaker-Target-Model': 'clothing-model.tar.gz' };

async function expected(body: object, query: string): Promise<unknown> {
  return ((await (await predict(gateway, body, query)).json()) as Body).predictions;
}

describe('health', () => {
  for (const path of ['/ping', VERTEX.AIP_HEALTH_ROUTE]) {
    test(`GET ${path} answers as /health/ready does, and other methods are refused`, async () => {
      const answer = await fetch(`${gateway.url}${path}`);
      assert.deepEqual([answer.status, ((await answer.json()) as { status: string }).status], [200, 'ready']);
      const refused = await fetch(`${gateway.url}${path}`, { method: 'DELETE' });
      assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD']);
    });
  }
});

describe('tables', () => {
  const shapes = {
    instances: { instances: records, parameters: {} },
    'instances beside unknown parameters': { instances: records, parameters: { confidenceThreshold: 0.5 } },
    inputs: { inputs: records },
    'inputs by column': { inputs: Object.fromEntries(columns.map((name) => [name, records.map((row) => row[name])])) },
    dataframe_records: { dataframe_records: records },
    dataframe_split: {
      dataframe_split: {
        index: records.map((_, row) => row),
        columns: columns.toReversed(),
        data: records.map((row) => columns.toReversed().map((name) => row[name])),
      },
    },
  };
  for (const [name, body] of Object.entries(shapes)) {
    test(`${name}: the predictions are those of /predict`, async () => {
      const wanted = await expected({ instances: records }, '?model=churn');
      for (const path of ['/invocations', VERTEX.AIP_PREDICT_ROUTE]) {
        const answer = await send(path, body);
        assert.deepEqual([answer.status, answer.body], [200, { predictions: wanted }]);
        assert.equal(answer.headers.get('x-model-version'), '1');
      }
    });
  }

  test('a prediction has its outputs by name', async () => {
    const { body } = await send('/invocations', { instances: [first] });
    const [prediction] = body.predictions as readonly { churn_probability: number; churn: boolean }[];
    assert.ok(prediction && Math.abs(prediction.churn_probability - 0.3627516748151028) < 1e-6);
    assert.equal(prediction.churn, false);
  });

  test('an id comes back with its prediction, in every shape', async () => {
    const [wanted] = (await expected({ instances: [first] }, '?model=churn')) as readonly object[];
    const split = { columns: ['id', ...columns], data: [['a', ...columns.map((name) => first[name])]] };
    for (const body of [
      { instances: [{ ...first, id: 'a' }] },
      { dataframe_records: [{ ...first, id: 'a' }] },
      { dataframe_split: split },
      { inputs: Object.fromEntries(split.columns.map((name, at) => [name, [split.data[0]?.[at]]])) },
    ]) {
      const answer = await send('/invocations', body);
      assert.deepEqual(answer.body, { predictions: [{ id: 'a', ...wanted }] });
    }
  });

  test('a table of many rows, read in a thread, is answered row by row', async () => {
    const many = Array.from({ length: 2000 }, (_, row) => records[row % records.length] ?? first);
    const data = many.map((row) => columns.map((name) => row[name]));
    const { status, body } = await send('/invocations', { dataframe_split: { columns, data } });
    assert.equal(status, 200, body.detail);
    assert.equal(body.predictions.length, 2000);
    const wanted = (await expected({ instances: records }, '?model=churn')) as readonly unknown[];
    assert.deepEqual(
      body.predictions.slice(-records.length),
      many.slice(-records.length).map((row) => wanted[records.indexOf(row)]),
    );
  });

  const mistakes: readonly (readonly [body: object, detail: RegExp])[] = [
    [{}, /^body: give one of instances, inputs, dataframe_records, dataframe_split$/],
    [{ instances: [first], inputs: [first] }, /^body: give one of/],
    [{ instances: [] }, /^instances: must not be empty$/],
    [{ instances: first }, /^instances: needs a list$/],
    [{ instances: [first, { ...first, tenure: 'abc' }] }, /^instances\[1\]\.tenure: expected an integer, got "abc"$/],
    [{ inputs: { tenure: [1, 2], gender: ['male'] } }, /^inputs\.gender: has 1 values, and tenure 2$/],
    [
      { dataframe_split: { columns: ['tenure'], data: [[1, 2]] } },
      /^dataframe_split\.data\[0\]: has 2 values for 1 columns$/,
    ],
    [{ dataframe_split: { columns: ['tenure', 'tenure'], data: [] } }, /^dataframe_split\.columns: has tenure twice$/],
    [{ dataframe_split: { columns: [1], data: [] } }, /^dataframe_split\.columns\[0\]: needs a string$/],
    [{ dataframe_records: [{ tenure: 1 }] }, /^dataframe_records\[0\]\.gender: is missing/],
    [{ instances: [first], parameters: { top: 3 } }, /^parameters\.top: this model has no classes; leave it out$/],
    [{ instances: [first], parameters: { top: 'x' } }, /^parameters\.top: a whole number above zero$/],
    [{ instances: [first], parameters: { model: 'credit' } }, /^parameters\.model: cannot be chosen here/],
    [{ instances: [first], parameters: 3 }, /^parameters: needs an object$/],
    [{ inputs: [first], params: { scores: 'odds' } }, /^params\.scores: raw or probabilities$/],
  ];
  for (const [body, detail] of mistakes) {
    test(`400: ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const answer = await send('/invocations', body);
      assert.deepEqual([answer.status, answer.body.kind], [400, 'invalid_request']);
      assert.match(answer.body.detail ?? '', detail);
    });
  }

  test('CSV and pictures are refused with the types that are read', async () => {
    for (const type of ['text/csv', 'image/png']) {
      const answer = await send('/invocations', 'tenure\n1\n', { 'Content-Type': type });
      assert.deepEqual([answer.status, answer.body.detail], [415, `Content-Type is ${type}; send application/json.`]);
    }
  });
});

describe('pictures', () => {
  test('b64 and the picture as the body are answered as /predict answers', async () => {
    const wanted = await expected({ instances: [{ b64 }] }, '?model=clothing-model');
    const asJson = await send('/invocations', { instances: [{ b64 }] }, PHOTOS);
    assert.deepEqual([asJson.status, asJson.body], [200, { predictions: wanted }]);
    for (const type of ['image/png', 'application/x-image', 'application/octet-stream']) {
      const { status, body } = await send('/invocations', PICTURE, { ...PHOTOS, 'Content-Type': type });
      assert.deepEqual([status, body], [200, { predictions: wanted }]);
    }
  });

  test('many pictures, read in a thread, are answered in order', async () => {
    const count = Math.ceil(600_000 / b64.length);
    const instances = Array.from({ length: count }, (_, id) => ({ b64, id }));
    assert.ok(count <= 64 && JSON.stringify(instances).length > 512 * 1024);
    const { status, body } = await send('/invocations', { instances }, PHOTOS);
    const ids = body.predictions.map((prediction) => (prediction as { id: number }).id);
    assert.deepEqual([status, ids], [200, instances.map(({ id }) => id)]);
  });

  test('an id comes back, and a picture that fails is an error in its place', async () => {
    const { status, body } = await send('/invocations', { instances: [{ b64: 'AAAA', id: 7 }, { b64 }] }, PHOTOS);
    const [failed, read] = body.predictions as readonly { id?: number; error?: { kind: string } }[];
    assert.deepEqual([status, failed?.id, failed?.error?.kind, read?.error], [200, 7, 'image_unreadable', undefined]);
  });

  test('parameters choose the classes', async () => {
    const parameters = { top: 2, scores: 'probabilities', format: 'list' };
    const wanted = await expected(
      { instances: [{ b64 }] },
      '?model=clothing-model&top=2&scores=probabilities&format=list',
    );
    const { body } = await send('/invocations', { instances: [{ b64 }], parameters }, PHOTOS);
    assert.deepEqual(body.predictions, wanted);
  });

  test('more pictures than MAX_INSTANCES are refused', async () => {
    const answer = await send('/invocations', { instances: Array(65).fill({ url: 'http://a.example/x' }) }, PHOTOS);
    assert.deepEqual([answer.status, answer.body.kind], [413, 'body_too_large']);
  });
});

test('a target model that is not there is refused, and so are other methods', async () => {
  const answer = await send('/invocations', { instances: [1] }, { 'X-Amzn-SageMaker-Target-Model': 'nothing' });
  assert.deepEqual([answer.status, answer.body.kind], [404, 'model_not_found']);
  const refused = await fetch(`${gateway.url}/invocations`);
  assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'POST']);
});

test('metrics count both routes under one name', async () => {
  await send(VERTEX.AIP_PREDICT_ROUTE, { instances: [first] });
  const text = await gateway.metrics();
  assert.match(text, /route="\/invocations",status="200"/);
  assert.doesNotMatch(text, /endpoints/);
});
