import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import type { GatewayError } from '../errors.ts';
import { type PlacesOptions, SourcePlaces } from './source-places.ts';

/** Places, and what became of each that was asked for, by source: `taken`, `waiting` or `evicted`. */
function rig(t: TestContext, options: PlacesOptions) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const places = new SourcePlaces(options);
  const asked: { source: string; state: string; release: () => void; leave: () => void }[] = [];
  return {
    async ask(source: string, count = 1) {
      for (let index = 0; index < count; index += 1) {
        const client = new AbortController();
        const one = { source, state: 'waiting', release: () => {}, leave: () => client.abort() };
        asked.push(one);
        const evict = ({ kind }: GatewayError) => {
          one.state = `evicted: ${kind}`;
        };
        places.acquire(source, client.signal, evict).then(
          (release) => Object.assign(one, { state: 'taken', release }),
          () => Object.assign(one, { state: 'left' }),
        );
      }
      await settled();
    },
    of: (source: string, state = 'taken') => asked.filter((one) => one.source === source && one.state === state),
    async later(ms: number) {
      nowMs += ms;
      mock.timers.tick(ms);
      await settled();
    },
  };
}

const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

test('one source takes half of the places, and each further one half of what is left', async (t) => {
  const { ask, of } = rig(t, { perSource: 100, inAll: 64 });
  await ask('a', 100);
  await ask('b', 100);
  await ask('c', 100);
  assert.deepEqual(
    ['a', 'b', 'c'].map((source) => of(source).length),
    [32, 16, 8],
  );
  await ask('quick');
  assert.equal(of('quick').length, 1);
});

test('one source takes no more than its own bound where there are many', async (t) => {
  const { ask, of } = rig(t, { perSource: 16, inAll: Number.POSITIVE_INFINITY });
  await ask('a', 100);
  assert.equal(of('a').length, 16);
});

test('a place that is given back goes to the source with fewest', async (t) => {
  const { ask, of } = rig(t, { perSource: 16, inAll: 4 });
  await ask('a', 3);
  await ask('b', 2);
  await ask('c', 2);
  const waiting = () => ['a', 'b', 'c'].map((source) => of(source, 'waiting').length);
  assert.deepEqual(waiting(), [1, 1, 1]);
  for (const { release } of of('a')) release();
  await settled();
  assert.deepEqual(waiting(), [0, 1, 1], 'a has none, the others have one');
});

test('with every place taken, a source without any gets one that is held for long, not one of a quick source', async (t) => {
  const { ask, of, later } = rig(t, { perSource: 16, inAll: 4 });
  for (const source of ['a', 'b', 'c', 'd']) await ask(source);
  await ask('quick');
  assert.equal(of('quick').length, 0, 'the others may be quick too');
  await later(249);
  assert.equal(of('quick').length, 0);
  await later(1);
  assert.equal(of('quick').length, 1);
  assert.deepEqual(of('a').length, 0);
  assert.equal(of('a', 'evicted: overloaded').length, 1);
  await ask('b');
  await later(500);
  assert.equal(of('b', 'waiting').length, 1, 'it has one already');
});

test('who leaves while it waits takes none, and an evicted place is given back once', async (t) => {
  const { ask, of, later } = rig(t, { perSource: 16, inAll: 1 });
  await ask('a');
  await ask('b', 2);
  of('b', 'waiting')[0]?.leave();
  await later(250);
  assert.equal(of('b').length, 1);
  for (const { release } of of('a', 'evicted: overloaded')) release();
  await ask('c');
  assert.equal(of('c', 'waiting').length, 1);
  for (const { release } of of('b')) release();
  await settled();
  assert.equal(of('c').length, 1);
});
