/** Both methods, with a model whose integrals are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbersOf } from '../../domain/elements.ts';
import { stringsOf } from '../../domain/strings.ts';
import type { Signature, StringTensor, Tensor } from '../../domain/tensor.ts';
import type { Budget, PictureSubject } from '../method.ts';
import type { ExplainOptions } from '../options.ts';
import { integratedGradients } from './integrated-gradients.ts';
import { withoutGradients } from './signature.ts';
import { xrai } from './xrai.ts';

const [HEIGHT, WIDTH] = [24, 32];
const NUMBERS = HEIGHT * WIDTH * 3;

function info(name: string, dtype: string, ...shape: number[]) {
  return { name, dtype, shape: [-1, ...shape] };
}

const SIGNATURE: Signature = {
  inputs: [
    info('image', 'DT_FLOAT', HEIGHT, WIDTH, 3),
    info('baseline_image', 'DT_FLOAT', HEIGHT, WIDTH, 3),
    info('target', 'DT_INT64'),
    info('steps', 'DT_INT64'),
    info('quadrature', 'DT_STRING'),
  ],
  outputs: [
    info('attributions_image', 'DT_FLOAT', HEIGHT, WIDTH, 3),
    info('score_logits', 'DT_FLOAT'),
    info('baseline_score_logits', 'DT_FLOAT'),
  ],
};

function tensor(values: Float32Array, ...shape: number[]): Tensor {
  return { dtype: 'DT_FLOAT', shape, bytes: new Uint8Array(values.buffer) };
}

type Asked = { calls: number; target: number[]; steps: number[]; rule: string[] };

/** A model whose score is the sum of weight times value. `error`: by how much its slopes are wrong, in each round of the whole line. */
function subjectOf(
  weight: (index: number) => number,
  error: (round: number) => number = () => 0,
): { subject: PictureSubject; rounds: Asked[][] } {
  const rounds: Asked[][] = [];
  const scoreOf = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let at = 0; at < NUMBERS; at += 1) sum += weight(at) * (values[at] as number);
    return Float32Array.of(sum);
  };
  const ask: PictureSubject['ask'] = async (name, inputs, calls) => {
    assert.equal(name, 'explain');
    const of = (input: string) => numbersOf(inputs.get(input) as Tensor);
    const [images, baselines] = [of('image'), of('baseline_image')];
    // A line begins with the call between its ends.
    if (isPlain(baselines)) rounds.push([]);
    rounds.at(-1)?.push({
      calls,
      target: Array.from(of('target')),
      steps: Array.from(of('steps')),
      rule: stringsOf(inputs.get('quadrature') as StringTensor).map((word) => Buffer.from(word).toString()),
    });
    const wrong = 1 + error(rounds.length);
    const attributions = Float32Array.from(
      { length: NUMBERS },
      (_, at) => weight(at) * ((images[at] as number) - (baselines[at] as number)) * wrong,
    );
    return new Map([
      ['attributions_image', tensor(attributions, 1, HEIGHT, WIDTH, 3)],
      ['score_logits', tensor(scoreOf(images), 1)],
      ['baseline_score_logits', tensor(scoreOf(baselines), 1)],
    ]);
  };
  const pixels = Float32Array.from({ length: NUMBERS }, (_, at) => (Math.floor(at / 3) % WIDTH < 10 ? 200 : 40));
  const subject: PictureSubject = {
    kind: 'picture',
    target: { name: 'hat', output: 'logits', element: 1, sign: 1, offset: 0 },
    signatures: new Map([['explain', SIGNATURE]]),
    ask,
    height: HEIGHT,
    width: WIDTH,
    channels: 3,
    pixels,
    scaled: (values) => values.map((value) => value / 127.5 - 1),
    inputShape: [HEIGHT, WIDTH, 3],
    scores: () => assert.fail('gradients need no scores'),
  };
  return { subject, rounds };
}

/** Whether a baseline is black, white or noise: scaled whole numbers. */
function isPlain(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value) => Math.abs((value + 1) * 127.5 - Math.round((value + 1) * 127.5)) < 1e-4);
}

const options = (given: Partial<ExplainOptions> = {}): ExplainOptions => ({
  method: 'integrated-gradients',
  format: 'json',
  place: 'query ',
  ...given,
});
const budget = (calls = 10_000): Budget => ({ calls, hasRoom: (more) => more <= calls });
/** Of the left third alone. */
const left = (index: number) => (Math.floor(index / 3) % WIDTH < 10 ? 0.01 : 0);

test('integrated gradients: a value for each pixel, and the sum is the difference of the scores', async () => {
  const { subject, rounds } = subjectOf(left);
  const found = await integratedGradients.explain(subject, options(), budget());
  const call = { calls: 4, target: [1], steps: [2], rule: ['trapezoid'] };
  assert.deepEqual(rounds, [new Array(26).fill(call)]);
  assert.ok(found.attributions.kind === 'grid');
  const { rows, columns, values } = found.attributions;
  assert.deepEqual([rows, columns, found.baseline], [HEIGHT, WIDTH, 'black']);
  assert.ok(Math.abs((values[0] as number) - 3 * 0.01 * (200 / 127.5)) < 1e-6);
  assert.equal(values[WIDTH - 1], 0);
  const sum = values.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - (found.score - found.baselineScore)) < (found.tolerance ?? 0));
});

test('while the sum is not complete, the steps are doubled as far as the budget goes', async () => {
  const callsOfRounds = async (error: (round: number) => number, most?: Budget) => {
    const { subject, rounds } = subjectOf(left, error);
    const found = await integratedGradients.explain(subject, options(), most ?? budget());
    return { found, calls: rounds.map((round) => round.length) };
  };
  const rough = await callsOfRounds((round) => (round === 1 ? 0.02 : 0.005));
  assert.deepEqual(rough.calls, [26, 51]);
  assert.ok(Math.abs((rough.found.tolerance ?? 0) - 0.01 * (rough.found.score - rough.found.baselineScore)) < 1e-3);
  const never = () => 1;
  assert.deepEqual((await callsOfRounds(never)).calls, [26, 51, 101, 201, 257]);
  assert.deepEqual((await callsOfRounds(never, budget(220))).calls, [26, 51]);
});

test('where the time is over, the answer is that of the last whole round', async () => {
  let left = 30;
  const ending: Budget = { calls: 10_000, hasRoom: () => left-- > 0 };
  const { subject, rounds } = subjectOf(
    () => 0.01,
    (round) => 1 / round,
  );
  const found = await integratedGradients.explain(subject, options(), ending);
  assert.deepEqual(
    rounds.map((round) => round.length),
    [26, 29],
  );
  const sum = found.attributions.values.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum / (found.score - found.baselineScore) - 2) < 1e-5);
});

test('explain.steps, explain.rule and explain.baseline are taken as given', async () => {
  const { subject, rounds } = subjectOf(left, () => 1);
  const given = options({ steps: 7, rule: 'trapezoid', baseline: 'white' });
  const found = await integratedGradients.explain(subject, given, budget());
  assert.deepEqual(
    rounds.flat().map(({ steps, rule }) => [...steps, ...rule]),
    [2, 2, 2, 3].map((steps) => [steps, 'trapezoid']),
  );
  assert.equal(found.baseline, 'white');
  await assert.rejects(integratedGradients.explain(subject, given, budget(16)), { kind: 'invalid_request' });
});

test('noise is the same for the same seed', async () => {
  const { subject } = subjectOf(left);
  const of = async (seed: number) =>
    (await integratedGradients.explain(subject, options({ baseline: 'noise', seed }), budget())).baselineScore;
  assert.equal(await of(3), await of(3));
  assert.notEqual(await of(3), await of(4));
});

test('the negative logit of a class that shares its neuron has negative attributions', async () => {
  const { subject } = subjectOf(left);
  const other = { ...subject, target: { ...subject.target, element: 0, sign: -1, offset: 1 } as const };
  const [one, two] = await Promise.all(
    [subject, other].map((each) => integratedGradients.explain(each, options(), budget())),
  );
  assert.ok(one?.attributions.kind === 'grid' && two?.attributions.kind === 'grid');
  assert.equal(two.attributions.values[0], -(one.attributions.values[0] as number));
  assert.equal(two.score, 1 - one.score);
});

test('a picture in planes', async () => {
  const planar = (index: number) => (index < HEIGHT * WIDTH && index % WIDTH === 4 ? 1 : 0);
  const { subject } = subjectOf(planar);
  const scaled = (values: Float32Array) =>
    values.map((_, at) => values[(at % (HEIGHT * WIDTH)) * 3 + Math.floor(at / (HEIGHT * WIDTH))] as number);
  const planes = { ...subject, scaled, inputShape: [3, HEIGHT, WIDTH] };
  const found = await integratedGradients.explain(planes, options(), budget());
  assert.ok(found.attributions.kind === 'grid');
  const columns = [...found.attributions.values.entries()].filter(([, value]) => value !== 0).map(([at]) => at % WIDTH);
  assert.deepEqual([...new Set(columns)], [4]);
});

test('xrai: the regions that matter come first, and the sum is complete', async () => {
  const { subject, rounds } = subjectOf(left);
  const found = await xrai.explain(subject, options({ method: 'xrai' }), budget());
  assert.deepEqual(
    rounds.map((round) => round.length),
    [26, 26],
  );
  assert.ok(found.attributions.kind === 'regions');
  const { labels, values } = found.attributions;
  assert.equal(found.baseline, 'black and white');
  const firstWithout = values.findIndex((value) => value < 1e-9);
  assert.ok((labels[0] as number) < firstWithout && (labels[WIDTH - 1] as number) >= firstWithout);
  assert.ok(values.subarray(firstWithout).every((value) => value < 1e-9));
  const sum = values.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - (found.score - found.baselineScore)) <= (found.tolerance ?? 0));
});

test('a version without the signature, or with another one of that name, has no gradients', () => {
  assert.equal(withoutGradients(new Map([['explain', SIGNATURE]])), undefined);
  assert.match(withoutGradients(new Map()) ?? '', /^needs the signature explain .* which is missing$/);
  const other = { inputs: SIGNATURE.inputs.slice(0, 2), outputs: SIGNATURE.outputs };
  assert.match(withoutGradients(new Map([['explain', other]])) ?? '', /other tensors here/);
});

test('a target of another output is not available', async () => {
  const { subject } = subjectOf(left);
  const other = { ...subject, target: { ...subject.target, output: 'age' } };
  await assert.rejects(integratedGradients.explain(other, options(), budget()), { kind: 'explanation_unavailable' });
});
