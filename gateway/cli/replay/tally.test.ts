import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answered, answeredOf, distanceOf } from './answer.ts';
import { Tally } from './tally.ts';

const CLASSES = ['cat', 'dog'];
const answer = (cat: number, ms = 20): Answered =>
  answeredOf({ cat, dog: 1 - cat, id: 7 }, CLASSES, `fetch;dur=5, predict;dur=${ms}, total;dur=99`);
const failed = (kind: string) => ({ kind, detail: '' });

test('an answer has its best class, its probabilities and the time of predict', () => {
  assert.deepEqual(answer(0.25), {
    seconds: 0.02,
    best: 'dog',
    probabilities: new Map([
      ['cat', 0.25],
      ['dog', 0.75],
    ]),
  });
  assert.equal(answer(0.5).best, 'cat');
  const decided = answeredOf({ probability: 0.7, churn: true }, [], 'total;dur=1');
  assert.deepEqual([decided.best, decided.seconds, decided.probabilities.size], ['true', undefined, 0]);
  assert.equal(answeredOf(12.5, [], null).best, undefined);
  assert.equal(distanceOf(answer(0.25).probabilities, answer(0.5).probabilities), 0.5);
});

test('a request counts for both versions, or for none where both refuse it for its own sake', () => {
  const tally = new Tally();
  tally.add(answer(0.9, 30), answer(0.8, 20));
  tally.add(answer(0.4, 40), answer(0.6, 20));
  tally.add(failed('model_failed'), answer(0.6, 20));
  // The other version takes it, so it is this one that does not.
  tally.add(failed('invalid_request'), answer(0.6, 20));
  tally.add(failed('model_timeout'), failed('model_timeout'));
  tally.add(failed('source_failed'), failed('source_failed'));
  const { candidate, reference, agreement, meanDistance } = tally.compared('pets', 4, 3);
  assert.deepEqual(Object.fromEntries(tally.refused), { source_failed: 1 });
  assert.deepEqual([candidate.requests, candidate.errors, reference.requests, reference.errors], [5, 3, 5, 1]);
  assert.deepEqual([candidate.latency.count, reference.latency.count], [2, 4]);
  assert.ok(Math.abs(candidate.latency.mean - 0.035) < 1e-12);
  assert.deepEqual(agreement, { count: 1, total: 2 });
  assert.ok(Math.abs((meanDistance ?? 0) - 0.3) < 1e-12);
});
