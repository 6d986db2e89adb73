import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBaseline } from '../../model/baseline.ts';
import { BaselineBuilder } from './build.ts';
import { edgesOf, featureOf } from './cut.ts';

const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
const times = (count: number, value: number) => new Array<number>(count).fill(value);

test('edges are those of serving/training/baseline.py: a value that comes often has a bucket of its own', () => {
  // The same table is in serving/training/tests/test_baseline.py.
  const from1To40 = Array.from({ length: 40 }, (_, index) => index + 1);
  for (const [values, edges, counts] of [
    [[...times(98, 0), ...times(2, 1)], [1], [98, 2]],
    [[...times(2, 0), ...times(98, 1)], [1], [2, 98]],
    [times(10, 5), [], [10]],
    [
      [...times(60, 0), ...from1To40],
      [1, 11, 21, 31],
      [60, 10, 10, 10, 10],
    ],
    [
      [1, 2, 3],
      [2, 3],
      [1, 1, 1],
    ],
  ] as const) {
    assert.deepEqual(featureOf(values), { kind: 'number', edges, counts, missing: 0 });
  }
  assert.deepEqual(edgesOf(sorted([0.123456789, 0.987654321])), [0.6]);
  assert.deepEqual(edgesOf(sorted([1, 1 + Number.EPSILON])), [1 + Number.EPSILON]);
});

test('missing numbers are counted apart, also by the name that a log has for NaN; nothing but missing is no feature', () => {
  const feature = featureOf([1, Number.NaN, 2, 'NaN', undefined]);
  assert.deepEqual(feature, { kind: 'number', edges: [2], counts: [1, 1], missing: 3 });
  assert.equal(featureOf([undefined, '', Number.NaN]), undefined);
});

test('rare categories, and those with the name of a bucket, are counted together', () => {
  const names = Array.from({ length: 60 }, (_, index) => `c${String(index).padStart(3, '0')}`);
  const feature = featureOf([...names, ...names.slice(0, 50), '', '(other)', '__proto__', '__proto__', '__proto__']);
  assert.ok(feature?.kind === 'category');
  assert.deepEqual(Object.keys(feature.counts), ['__proto__', ...names.slice(0, 49)]);
  assert.deepEqual([feature.other, feature.missing], [13, 1]);
});

test('a baseline has the typical of the inputs that are numbers, and quantiles of distance and energy', () => {
  const builder = new BaselineBuilder({ model: 'm', version: 2 });
  for (let index = 0; index <= 100; index += 1) {
    const features = new Map<string, number | string>([
      ['score', index / 100],
      ['input.age', index],
      ['input.job', 'clerk'],
    ]);
    builder.add({ features, energy: -index });
  }
  const baseline = parseBaseline(JSON.stringify(builder.baseline('test rows')));
  assert.deepEqual([baseline.version, baseline.rows, baseline.source], [2, 101, 'test rows']);
  assert.deepEqual(Object.keys(baseline.outliers?.typical ?? {}), ['input.age']);
  assert.equal(baseline.outliers?.typical['input.age']?.center, 50);
  assert.deepEqual([baseline.outliers?.energy?.[0], baseline.outliers?.energy?.[100]], [-100, 0]);
  assert.equal(baseline.records?.length, 100);
  assert.deepEqual(baseline.records?.[50], { age: 50, job: 'clerk' });
  // The age 50 with the only job is typical.
  assert.equal(baseline.outliers?.distance?.[0], 0);
});

test('of very many predictions a uniform sample is kept, the same in each run', () => {
  const build = () => {
    const builder = new BaselineBuilder({ model: 'm', version: 1 });
    for (let index = 0; index < 200_000; index += 1) builder.add({ features: new Map([['input.x', index]]) });
    return builder.baseline('many');
  };
  const baseline = build();
  assert.equal(baseline.rows, 50_000);
  const feature = baseline.features['input.x'];
  assert.ok(feature?.kind === 'number');
  for (const [index, edge] of feature.edges.entries()) {
    assert.ok(Math.abs(edge - (index + 1) * 20_000) < 2000, `${edge}`);
  }
  assert.deepEqual(build(), baseline);
});
