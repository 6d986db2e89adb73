/** Gradients of SavedModels with the signature that training writes, by TensorFlow. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { predict, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { findPython, startTensorFlowServing } from './server.ts';

const MAKE_EXPLAINED = new URL('make_explained.py', import.meta.url).pathname;
const PICTURE = new URL('../golden/images/png-rgb8.png', import.meta.url);
const CARDS = {
  pictures: 'name: pictures\nimage: {size: [48, 64], scale: tf}\nclasses: [bee, wasp, fly]\n',
  table: 'name: table\n',
};
const python = await findPython();

type Explanation = {
  readonly method: string;
  readonly target: string;
  readonly score: number;
  readonly baseline_score: number;
  readonly attributions: {
    readonly values?: readonly (readonly number[])[];
    readonly regions?: readonly { readonly attribution: number }[];
    readonly age?: number;
    readonly income?: number;
  };
  readonly completeness: { readonly sum: number; readonly difference: number; readonly holds: boolean };
};

async function startGateway(t: TestContext, flags: readonly string[]): Promise<RunningGateway> {
  assert.ok('program' in python);
  const MODELS = await modelsFolder(t, CARDS);
  await promisify(execFile)(python.program, [MAKE_EXPLAINED, MODELS]);
  const server = await startTensorFlowServing(python.program, MODELS, { names: Object.keys(CARDS), flags });
  t.after(() => server.stop());
  const gateway = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: server.target });
  await gateway.ready();
  return gateway;
}

async function explained(gateway: RunningGateway, body: object, query: string): Promise<Record<string, unknown>> {
  const answer = await predict(gateway, body, query);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}

const pictures = async (gateway: RunningGateway) => {
  const instances = [{ b64: (await readFile(PICTURE)).toString('base64') }];
  const found: Explanation[] = [];
  for (const method of ['integrated-gradients', 'xrai']) {
    const query = `?model=pictures&scores=raw&explain=${method}&explain.target=wasp`;
    const { predictions, explanations } = await explained(gateway, { instances }, query);
    const [explanation] = explanations as [Explanation];
    const [scores] = predictions as [Record<string, number>];
    assert.ok(Math.abs(explanation.score - (scores.wasp as number)) < 1e-5);
    assert.ok(explanation.completeness.holds, JSON.stringify(explanation.completeness));
    found.push(explanation);
  }
  const [pixels, regions] = found;
  assert.equal(pixels?.attributions.values?.flat().length, 24 * 32);
  const sum = regions?.attributions.regions?.reduce((total, { attribution }) => total + attribution, 0) ?? 0;
  assert.ok(Math.abs(sum - (regions?.completeness.sum ?? 0)) < 1e-6);
};

/** The methods that need no gradients, on the same model. */
const withoutGradients = async (gateway: RunningGateway) => {
  const instances = [{ b64: (await readFile(PICTURE)).toString('base64') }];
  for (const method of ['occlusion', 'shapley']) {
    const query = `?model=pictures&scores=raw&explain=${method}&explain.target=wasp&explain.budget=150`;
    const { predictions, explanations } = await explained(gateway, { instances }, query);
    const [{ score, completeness, attributions }] = explanations as [Explanation];
    const [scores] = predictions as [Record<string, number>];
    assert.ok(Math.abs(score - (scores.wasp as number)) < 1e-5);
    assert.equal(completeness.holds, method === 'shapley' ? true : null);
    const values = attributions.values?.flat() ?? attributions.regions?.map(({ attribution }) => attribution) ?? [];
    assert.ok(values.length > 1 && values.some((value) => Math.abs(value) > 1e-3), JSON.stringify(values));
  }
};

const records = async (gateway: RunningGateway) => {
  const instances = [
    { age: 40, income: 2.5 },
    { age: 20, income: 1 },
  ];
  const { explanations } = await explained(gateway, { instances }, '?model=table&explain=integrated-gradients');
  for (const { attributions, completeness, score, baseline_score } of explanations as Explanation[]) {
    assert.ok(completeness.holds, JSON.stringify(completeness));
    const sum = (attributions.age as number) + (attributions.income as number);
    assert.ok(Math.abs(sum - (score - baseline_score)) < 1e-4);
  }
};

for (const flags of [[], ['--enable_batching=true']]) {
  test(`gradients of SavedModels add up to the difference of the scores ${flags}`, {
    skip: 'missing' in python && python.missing,
  }, async (t) => {
    const gateway = await startGateway(t, flags);
    await pictures(gateway);
    await withoutGradients(gateway);
    await records(gateway);
  });
}
