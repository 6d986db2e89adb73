/** Integrated gradients and XRAI of the committed photo model, by its explain.onnx in the embedded server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { classify, PICTURE } from '../committed-model.ts';
import { predict, type RunningGateway, startGateway } from '../gateway.ts';

type Explanation = {
  readonly target: string;
  readonly baseline: string;
  readonly score: number;
  readonly calls: number;
  readonly attributions: {
    readonly values?: readonly (readonly number[])[];
    readonly regions?: readonly { readonly attribution: number }[];
  };
  readonly completeness: { readonly sum: number; readonly difference: number; readonly holds: boolean };
};

let gateway: RunningGateway;
before(async () => {
  // The gradients of a photo take some seconds, and the machine may be busy.
  gateway = await startGateway({ REQUEST_TIMEOUT: '120s' });
  await gateway.ready();
});
after(async () => assert.equal(await gateway.stop(), 0));

async function explained(query: string): Promise<{ scores: Record<string, number>; explanation: Explanation }> {
  const answer = await classify(gateway, PICTURE, `?scores=raw&explain=${query}`);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  const { explanations, ...scores } = JSON.parse(text);
  return { scores, explanation: explanations };
}

test('integrated gradients add up to the difference of the scores, up to the error of so many steps', async (t) => {
  const { scores, explanation } = await explained('integrated-gradients&explain.baseline=white&explain.steps=40');
  const { target, score, completeness, calls } = explanation;
  assert.ok(Math.abs(score - (scores[target] as number)) < 1e-3);
  const error = Math.abs(completeness.sum / completeness.difference - 1);
  t.diagnostic(`came: ${calls} calls, incomplete by ${(100 * error).toFixed(2)} %`);
  assert.deepEqual([calls, completeness.holds], [84, error <= 0.01]);
  assert.ok(error < 0.2);
  assert.equal(explanation.attributions.values?.length, 30);
});

test('XRAI gives regions, by as many steps as asked for', async () => {
  const { explanation } = await explained('xrai&explain.steps=10');
  assert.deepEqual([explanation.baseline, explanation.calls], ['black and white', 48]);
  const sum = explanation.attributions.regions?.reduce((total, { attribution }) => total + attribution, 0) ?? 0;
  assert.ok(Math.abs(sum - explanation.completeness.sum) < 1e-6);
});

test('a version without the signature is not explained by gradients, and the answer has the other methods', async () => {
  const record = { job: 'student', duration: 280, poutcome: 'failure' };
  const answer = await predict(gateway, record, '?model=credit&explain=integrated-gradients');
  const { kind, detail } = (await answer.json()) as { kind: string; detail: string };
  assert.deepEqual([answer.status, kind], [422, 'explanation_unavailable']);
  assert.match(detail, /integrated-gradients needs the signature explain .*; this version has occlusion, shapley$/);
});
