import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLoopShare } from './loop-share.ts';

const { signal } = new AbortController();

function busy(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('long pieces are done in order, each in a turn of its own', async () => {
  const inLoop = createLoopShare();
  const done: string[] = [];
  const turn = () => {
    done.push('turn');
    if (done.length < 6) setImmediate(turn);
  };
  const pieces = [1, 2, 3].map((number) =>
    inLoop(() => {
      busy(5);
      done.push(`piece ${number}`);
    }, signal),
  );
  setImmediate(turn);
  await Promise.all(pieces);
  assert.deepEqual(done.slice(0, 5), ['piece 1', 'turn', 'piece 2', 'turn', 'piece 3']);
});

test('a piece that throws rejects its own call, and one that is aborted is not done', async () => {
  const inLoop = createLoopShare();
  const gone = new AbortController();
  const fail = (): number => {
    throw new RangeError('a fault');
  };
  const outcomes = Promise.allSettled([inLoop(fail, signal), inLoop(fail, gone.signal), inLoop(() => 3, signal)]);
  gone.abort(new DOMException('gone', 'AbortError'));
  assert.deepEqual(
    (await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.name)),
    ['RangeError', 'AbortError', 3],
  );
});
