import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../tests/until.ts';
import { openPlace, type PlaceOptions } from './place.ts';
import { type DecoderProcess, ProcessEnded } from './process.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

function fakeProcess(pid: number) {
  const { promise: ended, resolve } = Promise.withResolvers<ProcessEnded>();
  const process = {
    pid,
    isUsable: true,
    ended,
    ask: () => Promise.reject(new Error('not used')),
    read() {},
    kill() {
      process.isUsable = false;
      resolve(new ProcessEnded('killed', { wasDecoding: false, isTimeout: false }));
    },
  };
  return process satisfies DecoderProcess;
}

function open(change: Pick<PlaceOptions, 'start'> & Partial<PlaceOptions>) {
  const events: string[] = [];
  const place = openPlace({
    prove: async () => {},
    onReady: ({ pid }) => events.push(`ready ${pid}`),
    onEnd: ({ pid }) => events.push(`end ${pid}`),
    onBroken: () => events.push('broken'),
    log,
    ...change,
  });
  return { place, events };
}

test('A12: a process that does not decode its first picture in time is killed; the next one gets twice the time', async (t) => {
  const limits: number[] = [];
  const started: DecoderProcess[] = [];
  const { place, events } = open({
    async start() {
      started.push(fakeProcess(started.length));
      return started.at(-1) as DecoderProcess;
    },
    async prove(_process, timeoutMs) {
      limits.push(timeoutMs);
      if (limits.length < 3) throw new Error('not decoded in time');
    },
  });
  t.after(() => place.close());
  await until(() => events.includes('ready 2'));
  assert.deepEqual(limits, [10_000, 20_000, 40_000]);
  assert.deepEqual(
    started.map(({ isUsable }) => isUsable),
    [false, false, true],
  );
  assert.deepEqual(events, ['broken', 'ready 2']);
  assert.equal(place.isBroken, false);
});

test('A06: a place that cannot start a process waits and tries again', async (t) => {
  const times: number[] = [];
  const { place, events } = open({
    async start() {
      times.push(performance.now());
      if (times.length < 4) throw Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' });
      return fakeProcess(1);
    },
  });
  t.after(() => place.close());
  await until(() => events.includes('ready 1'));
  const pauses = times.slice(1).map((ms, index) => ms - (times[index] ?? 0));
  t.diagnostic(`came: pauses of ${pauses.map((ms) => Math.round(ms))} ms`);
  assert.ok(pauses.every((ms, index) => ms >= 250 * 2 ** index));
});

test('a process that ends is replaced at once', async (t) => {
  const started: DecoderProcess[] = [];
  const { place, events } = open({
    async start() {
      started.push(fakeProcess(started.length));
      return started.at(-1) as DecoderProcess;
    },
  });
  t.after(() => place.close());
  await until(() => events.length === 1);
  started[0]?.kill();
  await until(() => events.length === 3);
  assert.deepEqual(events, ['ready 0', 'end 0', 'ready 1']);
});
