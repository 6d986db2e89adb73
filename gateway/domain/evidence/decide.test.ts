import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random.ts';
import { decide } from './decide.ts';
import { type Bounds, DEFAULT_BOUNDS, type Evidence } from './findings.ts';
import { latencyOfSamples } from './latency.ts';

type Given = { readonly requests?: number; readonly errors?: number; readonly slower?: number; readonly same?: number };

/** A candidate against version 3, which fails 10 of 2000 requests. Times are from 30 to 50 ms. */
function evidence({ requests = 1000, errors = 5, slower = 1, same = 990 }: Given): Evidence {
  const times = (count: number, factor: number) =>
    latencyOfSamples(Array.from({ length: count }, (_, index) => factor * (0.03 + (0.02 * index) / count)));
  return {
    candidate: { version: 4, requests, errors, latency: times(requests - errors, slower) },
    reference: { version: 3, requests: 2000, errors: 10, latency: times(1990, 1) },
    agreement: { count: same, total: 1000 },
  };
}

const decided = (given: Given, bounds: Bounds = DEFAULT_BOUNDS) => {
  const { decision, reason, findings } = decide(evidence(given), bounds);
  return { decision, reason, states: findings.map(({ state }) => state).join(' ') };
};

test('a candidate within all bounds is promoted, with all statistics in a sentence', () => {
  const { decision, reason, states } = decided({});
  assert.deepEqual([decision, states], ['promote', 'within within within']);
  assert.equal(
    reason,
    'version 4 had 1000 requests; ' +
      'its error rate is 0.0 percentage points above that of version 3, within the bound of 1.0 ' +
      '(95 % interval -0.5 to 0.7; z = -2.5, p = 0.011); ' +
      'its mean latency is 1.00 times that of version 3, within the bound of 1.50 ' +
      '(95 % interval 0.99 to 1.01; z = -72.3, p < 0.001); ' +
      '99.0 % of 1000 best classes are those of version 3, within the bound of 95.0 % ' +
      '(95 % interval 98.2 % to 99.5 %; z = 5.8, p < 0.001)',
  );
});

test('a bound that is left aborts, whatever the others say', () => {
  for (const [given, states, words] of [
    [
      { errors: 200 },
      'beyond within within',
      /19\.5 percentage points above that of version 3, beyond the bound of 1\.0/,
    ],
    [{ slower: 2 }, 'within beyond within', /2\.00 times that of version 3, beyond the bound of 1\.50/],
    [{ same: 500 }, 'within within beyond', /50\.0 % of 1000 best classes .*, beyond the bound of 95\.0 %/],
    [{ errors: 15, same: 100 }, 'open within beyond', /10\.0 % of 1000/],
  ] as const) {
    const { decision, ...found } = decided(given);
    assert.deepEqual([decision, found.states], ['abort', states]);
    assert.match(found.reason, words);
  }
});

test('an interval that includes its bound, and what was not measured, waits', () => {
  const close = decided({ errors: 15 });
  assert.equal(close.decision, 'wait');
  assert.match(
    close.reason,
    /^version 4 had 1000 requests; .* 1\.0 percentage points above .*, too close to the bound/,
  );
  assert.doesNotMatch(close.reason, /latency/);
  const none = decide({ ...evidence({}), agreement: { count: 0, total: 0 } }, DEFAULT_BOUNDS);
  assert.equal(none.decision, 'wait');
  assert.match(none.reason, /; no predictions of both versions of the same input were compared$/);
  const few = decided({ requests: 199, errors: 199 });
  assert.deepEqual([few.decision, few.reason], ['wait', 'version 4 had 199 requests, and needs 200']);
});

test('only bounds that are set are judged', () => {
  const { decision, states } = decided({ slower: 9, same: 0 }, { minRequests: 200, maxErrorRateIncrease: 0.01 });
  assert.deepEqual([decision, states], ['promote', 'within']);
  assert.deepEqual(decided({}, { minRequests: 200 }), {
    decision: 'wait',
    reason: 'version 4 had 1000 requests; no bounds are set',
    states: '',
  });
});

test('a version that is as good as the other is never aborted in 200 runs of 400 requests', () => {
  const random = createRandom(3);
  const side = (version: number, requests: number) => {
    const errors = Array.from({ length: requests }, random).filter((one) => one < 0.005).length;
    // Exponential beyond 30 ms, with a tail: one of a hundred takes ten times as long.
    const time = () => (0.03 - 0.02 * Math.log(1 - random())) * (random() < 0.01 ? 10 : 1);
    return { version, requests, errors, latency: latencyOfSamples(Array.from({ length: requests }, time)) };
  };
  const aborted = Array.from({ length: 200 }, () => {
    const same = Array.from({ length: 400 }, random).filter((one) => one < 0.97).length;
    const one = { candidate: side(4, 400), reference: side(3, 3600), agreement: { count: same, total: 400 } };
    return decide(one, DEFAULT_BOUNDS).decision;
  }).filter((decision) => decision === 'abort').length;
  assert.equal(aborted, 0);
});
