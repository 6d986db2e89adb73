/** What becomes of a model's output: named scores. One gateway serves the models of the reports and more of their kind. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';
import { floatTensor, type ModelServer, type ModelServerOptions, startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

type Output = readonly [dtype: string, shape: readonly number[], values: readonly number[]];
type Model = {
  readonly card: string;
  readonly outputs: ModelServerOptions['outputs'];
  readonly answer: Readonly<Record<string, Output>>;
};

const INPUTS = { x: { dtype: 'DT_FLOAT', shape: [-1, 4, 6, 3] } };
const HEAD = 'name: m\nimage: {size: [4, 6], scale: tf}\n';
const b64 = (await readFile(new URL('08-class-names-changed/p.png', import.meta.url))).toString('base64');

/** The model of a report. */
async function reported(folder: string): Promise<Model> {
  const read = (file: string) => readFile(new URL(`${folder}/${file}`, import.meta.url), 'utf8');
  return { ...JSON.parse(await read('spec.json')), card: await read('model.yaml') };
}

/** A model whose one output has the signature's shape (-1: the batch) and these values. */
function model(card: string, shape: readonly number[], values: readonly number[]): Model {
  const answered = shape.map((size) => (size === -1 ? 1 : size));
  return {
    card: HEAD + card,
    outputs: { y: { dtype: 'DT_FLOAT', shape } },
    answer: { y: ['DT_FLOAT', answered, values] },
  };
}

const MODELS: Readonly<Record<string, Model>> = {
  'class-names': await reported('08-class-names-changed'),
  'one-neuron': await reported('09-one-neuron-logits'),
  'two-outputs': await reported('20-two-outputs-no-choice'),
  vector: await reported('29-output-shapes'),
  'two-names': model('classes: [bee, wasp]', [-1, 1], [-2.5]),
  'sigmoid-of-two': model('classes: [bee, wasp]\nscores: probabilities', [-1], [0.25]),
  'multi-label': model('classes: [a, b, c]\nscores: sigmoid-logits', [-1, 3], [0, -2.5, 2.5]),
  price: model('classes: [price]\nscores: values', [-1, 1, 1, 1], [3]),
  squeezenet: model('classes: [a, b]', [-1, 2, 1, 1], [1, 2]),
  'row-of-two': model('classes: [a, b]', [-1, 1, 2], [1, 2]),
  numbers: model('classes: [2, 1, 00]', [-1, 3], [1, 3, 2]),
  broken: model('classes: [a, b]', [-1, 2], []),
};

let server: ModelServer;
let gateway: RunningGateway;

before(async (t) => {
  const entries = Object.entries(MODELS);
  server = await startModelServer({
    inputs: INPUTS,
    outputs: {},
    models: Object.fromEntries(entries.map(([name, { outputs }]) => [name, { inputs: INPUTS, outputs }])),
    onPredict: ({ spec, inputs }) => {
      const rows = inputs.x?.shape[0] ?? 0;
      if (spec.name === 'broken') return { y: floatTensor([rows, 2], [1, 2, Number.NaN, 4, 5, 6].slice(0, 2 * rows)) };
      const answer = Object.entries(MODELS[spec.name]?.answer ?? {});
      return Object.fromEntries(answer.map(([name, [, shape, values]]) => [name, floatTensor(shape, values)]));
    },
  });
  const cards = entries.map(([name, { card }]) => [name, card.replace('name: m', `name: ${name}`)]);
  gateway = await startGateway({
    TF_SERVING_HOST: server.target,
    MODELS: await modelsFolder(t as TestContext, Object.fromEntries(cards)),
  });
  await gateway.ready();
});

after(async () => {
  server.close();
  assert.equal(await gateway.stop(), 0);
});

const textOf = async (query: string, body: object = { b64 }) => (await predict(gateway, body, query)).text();
/** The sigmoid of -2.5 and of 2.5. */
const [LOW, HIGH] = [0.07585818002124355, 0.9241418199787566];

for (const [entry, query, answer] of [
  ['A2 (08)', 'model=class-names', '{"00000":1,"00001":2,"00010":3,"08":4,"4006381333931000001":5,"True":6}'],
  ['A1 (09)', 'model=one-neuron', '{"wasp":-2.5}'],
  ['A1 (09)', 'model=one-neuron&scores=probabilities', `{"wasp":${LOW}}`],
  ['A1 (09)', 'model=two-names', '{"bee":2.5,"wasp":-2.5}'],
  ['A1 (09)', 'model=two-names&scores=probabilities', `{"bee":${HIGH},"wasp":${LOW}}`],
  ['A1 (09)', 'model=sigmoid-of-two&scores=probabilities', '{"bee":0.75,"wasp":0.25}'],
  ['A1 (09)', 'model=multi-label', '{"a":0,"b":-2.5,"c":2.5}'],
  ['A1 (09)', 'model=multi-label&scores=probabilities', `{"a":0.5,"b":${LOW},"c":${HIGH}}`],
  ['A1 (09)', 'model=price', '{"price":3}'],
  ['F26 (20)', 'model=two-outputs', '{"a":1,"b":2}'],
  ['F26 (29)', 'model=vector', '{"price":3}'],
  ['F26 (29)', 'model=squeezenet', '{"a":1,"b":2}'],
  ['F26 (29)', 'model=row-of-two', '{"a":1,"b":2}'],
  ['A2 (08)', 'model=numbers&top=2', '{"1":3,"00":2}'],
  ['A2 (08)', 'model=numbers&top=2&format=list', '{"predictions":[{"class":"1","score":3},{"class":"00","score":2}]}'],
] as const) {
  test(`${entry}: ?${query} is answered with ${answer}`, async () => {
    assert.equal(await textOf(`?${query}`), answer);
  });
}

test('A1 (09): probabilities of values are refused with the field', async () => {
  const response = await predict(gateway, { b64 }, '?model=price&scores=probabilities');
  const { kind, detail } = (await response.json()) as { kind: string; detail: string };
  assert.deepEqual([response.status, kind], [400, 'invalid_request']);
  assert.match(detail, /^query scores: this model gives values/);
});

test('B9: a row that is not finite is the error of its image alone, in a list too', async () => {
  const instances = [{ b64 }, { b64 }, { b64 }];
  for (const [query, ...scores] of [
    ['?model=broken', { a: 1, b: 2 }, { a: 5, b: 6 }],
    ['?model=broken&format=list&top=1', [{ class: 'b', score: 2 }], [{ class: 'b', score: 6 }]],
  ]) {
    const { predictions } = JSON.parse(await textOf(String(query), { instances }));
    // Which image has which row depends on the order in which they were decoded.
    const rows = predictions.map((one: { error?: { kind: string } }) => one.error?.kind ?? one);
    assert.deepEqual(new Set(rows), new Set([...scores, 'model_failed']));
    assert.equal(rows.length, 3);
  }
});
