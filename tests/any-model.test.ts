/** Models without a model.yaml, and tables of other shapes than the committed ones. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { addVersion, onnxModel } from '../serving/embedded/testing/onnx-models.ts';
import { predict, type RunningGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, startModelServer } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

/** A model that gives its inputs back. */
function echo(
  ...tensors: readonly { readonly name: string; readonly type?: string; readonly shape: (string | number)[] }[]
) {
  return onnxModel({
    inputs: tensors,
    outputs: tensors.map(({ name, ...rest }) => ({ name: `${name}_out`, ...rest })),
    nodes: tensors.map(({ name }) => ['Identity', [name], `${name}_out`]),
  } as Parameters<typeof onnxModel>[0]);
}

async function answered(gateway: RunningGateway, query: string, body: unknown): Promise<unknown> {
  const response = await predict(gateway, body, query);
  return response.status === 200
    ? response.json()
    : [response.status, ((await response.json()) as { detail: string }).detail];
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'models-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function listed(gateway: RunningGateway): Promise<Record<string, unknown>[]> {
  const { models } = (await (await fetch(`${gateway.url}/models`)).json()) as { models: Record<string, unknown>[] };
  return models;
}

test('with an empty MODELS the gateway is ready when a server is connected, and serves what a request names', async (t) => {
  const statusCalls: string[] = [];
  const info = { dtype: 'DT_FLOAT', shape: [-1, 1] } as const;
  const server = await startModelServer({
    inputs: { x: info },
    outputs: { y: info },
    names: ['price', 'other'],
    onStatus: (name) => void statusCalls.push(name),
    onPredict: ({ inputs }) => ({ y: floatTensor(inputs.x?.shape ?? [], [1.5, 2.5].slice(0, inputs.x?.shape[0])) }),
  });
  t.after(() => server.close());
  const gateway = await startGatewayFor(t, { MODELS: await emptyFolder(t), TF_SERVING_HOST: server.target });
  await gateway.ready();
  assert.deepEqual(await listed(gateway), []);

  assert.deepEqual(await answered(gateway, '?model=price', { x: 3 }), { y: 1.5 });
  assert.deepEqual(await answered(gateway, '?model=price&version=1', { instances: [3, 4] }), {
    predictions: [1.5, 2.5],
  });
  const [price] = await listed(gateway);
  assert.deepEqual([price?.name, price?.ready, price?.version, price?.takes], ['price', true, 1, 'tensors']);
  assert.deepEqual(await answered(gateway, '', { x: 3 }), [400, 'model: name the model']);

  for (let request = 0; request < 3; request += 1) {
    assert.deepEqual(await answered(gateway, '?model=nothing', { x: 3 }), [
      404,
      'model: no such model; there are none with a model.yaml',
    ]);
  }
  assert.equal(statusCalls.filter((name) => name === 'nothing').length, 1);
  server.close();
  await until(async () => (await fetch(`${gateway.url}/health/ready`)).status === 503);
});

test('a folder with versions and no model.yaml is served by the embedded server, and not counted for readiness', async (t) => {
  const MODELS = await modelsFolder(t, { named: 'name: named\n' });
  for (const name of ['named', 'unnamed']) {
    await mkdir(path.join(MODELS, name), { recursive: true });
    addVersion(
      path.join(MODELS, name),
      2,
      echo({ name: 'big', type: 'INT64', shape: ['n'] }, { name: 'word', type: 'STRING', shape: ['n'] }),
    );
  }
  const gateway = await startGatewayFor(t, { MODELS, READY_WHEN: 'all' });
  await gateway.ready();
  const response = await predict(gateway, '{"big":9007199254740993,"word":{"b64":"YWJj"},"id":"a"}', '?model=unnamed');
  assert.deepEqual(
    [response.status, await response.text()],
    [200, '{"id":"a","big_out":9007199254740993,"word_out":"abc"}'],
  );
  const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as { models: object };
  assert.deepEqual(Object.keys(models), ['named']);
  assert.deepEqual(
    (await listed(gateway)).map(({ name }) => name),
    ['named', 'unnamed'],
  );

  // With a model.yaml from now on.
  await writeFile(path.join(MODELS, 'unnamed', 'model.yaml'), 'name: unnamed\ncolumns: [word, big]\n');
  await until(async () =>
    Array.isArray(
      ((await answered(gateway, '?model=unnamed', { instances: [['a', 1]] })) as { predictions?: unknown }).predictions,
    ),
  );
  assert.deepEqual(await answered(gateway, '?model=unnamed', { instances: [['a', 1]] }), {
    predictions: [{ big_out: 1, word_out: 'a' }],
  });
});

test('plain lists, one neuron with two names, a regression and a decision, as model.yaml has them', async (t) => {
  const MODELS = await modelsFolder(t, {
    bank: 'name: bank\ncolumns: [age, job]\n',
    insects: 'name: insects\nclasses: [bee, wasp]\nscores: probabilities\n',
    price: 'name: price\n',
    churn: 'name: churn\ndecision: {output: probability_out, threshold: 0.5, name: churn}\n',
    wrong: 'name: wrong\ncolumns: [age, sex]\n',
  });
  const bank = onnxModel({
    inputs: [
      { name: 'age', type: 'INT64', shape: ['n'] },
      { name: 'job', type: 'STRING', shape: ['n'] },
    ],
    outputs: [{ name: 'class', type: 'INT64', shape: ['n'] }],
    nodes: [['Identity', ['age'], 'class']],
  });
  const neuron = echo({ name: 'p', shape: ['n', 1] });
  addVersion(path.join(MODELS, 'bank'), 1, bank);
  addVersion(path.join(MODELS, 'insects'), 1, neuron);
  addVersion(path.join(MODELS, 'price'), 1, neuron);
  addVersion(path.join(MODELS, 'churn'), 1, echo({ name: 'probability', shape: ['n'] }));
  addVersion(path.join(MODELS, 'wrong'), 1, bank);
  const gateway = await startGatewayFor(t, { MODELS });
  await gateway.ready();
  const bankRows = {
    instances: [
      [57, 'technician'],
      [1, 'services'],
    ],
  };
  assert.deepEqual(await answered(gateway, '?model=bank', bankRows), { predictions: [57, 1] });
  assert.deepEqual(await answered(gateway, '?model=insects', { p: 0.25 }), { bee: 0.75, wasp: 0.25 });
  assert.deepEqual(await answered(gateway, '?model=insects&top=1', { p: 0.25 }), { bee: 0.75 });
  assert.deepEqual(await answered(gateway, '?model=price', { p: 300_000 }), { p_out: 300_000 });
  assert.deepEqual(await answered(gateway, '?model=price', { instances: ['NaN', 1] }), { predictions: ['NaN', 1] });
  assert.deepEqual(await answered(gateway, '?model=churn', { probability: 0.5 }), {
    probability_out: 0.5,
    churn: true,
  });
  const [status, detail] = (await answered(gateway, '?model=wrong', {})) as [number, string];
  assert.equal(status, 503);
  assert.match(detail, /model\.yaml of wrong says columns: \[age,sex\], but version 1 .* has inputs age, job/);
});

test('the id of a picture comes back with its scores, or with its error', async (t) => {
  const MODELS = await modelsFolder(t, {
    photos: 'name: photos\nimage: {size: [2, 2], scale: none, layout: NCHW}\nclasses: [r, g, b]\n',
  });
  const means = onnxModel({
    inputs: [{ name: 'image', shape: ['n', 3, 2, 2] }],
    outputs: [{ name: 'means', shape: ['n', 3] }],
    nodes: [
      ['GlobalAveragePool', ['image'], 'pooled'],
      ['Flatten', ['pooled'], 'means'],
    ],
  });
  addVersion(path.join(MODELS, 'photos'), 1, means);
  const gateway = await startGatewayFor(t, { MODELS });
  await gateway.ready();
  const picture = await readFile(new URL('../serving/models/clothing-model/parity/palette.png', import.meta.url));
  const b64 = picture.toString('base64');
  const scores = (await answered(gateway, '', { b64 })) as object;
  assert.deepEqual(Object.keys(scores), ['r', 'g', 'b']);
  assert.deepEqual(await answered(gateway, '', { b64, id: 7 }), { id: 7, ...scores });
  const { predictions } = (await answered(gateway, '', {
    instances: [{ b64, id: 'a' }, { b64: 'AAAA', id: 'b' }, { b64 }],
  })) as {
    predictions: { id?: string; error?: { kind: string } }[];
  };
  assert.deepEqual([predictions[0], predictions[2]], [{ id: 'a', ...scores }, scores]);
  assert.deepEqual([predictions[1]?.id, predictions[1]?.error?.kind], ['b', 'image_unreadable']);
  const list = (await answered(gateway, '?format=list', { b64, id: 'a' })) as { id: string; predictions: object[] };
  assert.deepEqual([list.id, list.predictions.length], ['a', 3]);
  assert.deepEqual(await answered(gateway, '', { b64, id: {} }), [
    400,
    'id: expected a string or a number, got an object',
  ]);
});
