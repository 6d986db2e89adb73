import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { Admission } from './admission.ts';

const isKind = (kind: string) => (error: unknown) => error instanceof GatewayError && error.kind === kind;

/** Works that run until their gate is opened. */
function gates(count: number) {
  return Array.from({ length: count }, () => Promise.withResolvers<void>());
}

function open(maxInFlight: number, maxQueue: number): Admission {
  return new Admission({ maxInFlight, maxQueue });
}

/** An admission whose limit has grown to `maxInFlight`, as with a backend that has room. */
async function openWide(maxInFlight: number, maxQueue: number): Promise<Admission> {
  const admission = open(maxInFlight, maxQueue);
  const clock = test.mock.method(performance, 'now');
  let nowMs = 0;
  clock.mock.mockImplementation(() => nowMs);
  while (admission.limit < maxInFlight) {
    const works = gates(admission.limit);
    const runs = works.map(({ promise }) => admission.admit(testContext({ deadlineMs: 1e9 }), 1, () => promise));
    await new Promise(setImmediate); // the works have started
    nowMs += 20;
    for (const { resolve } of works) resolve();
    await Promise.all(runs);
  }
  clock.mock.restore();
  return admission;
}

test('requests beyond the limit wait in order, and beyond the queue are refused at once', async () => {
  const admission = open(1, 2);
  const works = gates(3);
  const started: number[] = [];
  const runs = works.map(({ promise }, index) =>
    admission.admit(testContext(), 1, async () => {
      started.push(index);
      await promise;
    }),
  );
  await assert.rejects(
    admission.admit(testContext(), 1, async () => undefined),
    isKind('overloaded'),
  );
  assert.throws(() => admission.check(testContext()), isKind('overloaded'));
  await Promise.resolve();
  assert.deepEqual([admission.inFlight, admission.queued], [1, 2]);
  for (const [index, gate] of works.entries()) {
    gate.resolve();
    await runs[index];
  }
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});

test('room is given back when the work fails', async () => {
  const admission = open(1, 0);
  await assert.rejects(
    admission.admit(testContext(), 1, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await admission.admit(testContext(), 1, async () => 'yes'), 'yes');
});

test('an abort leaves the queue with the error of its reason, and takes no room', async () => {
  const admission = open(1, 2);
  const gate = Promise.withResolvers<void>();
  const first = admission.admit(testContext(), 1, () => gate.promise);
  const gone = new AbortController();
  const disconnected = admission.admit(testContext({ signal: gone.signal }), 1, async () => assert.fail('ran'));
  const late = admission.admit(testContext({ signal: AbortSignal.timeout(5) }), 1, async () => assert.fail('ran'));
  gone.abort();
  await assert.rejects(disconnected, isKind('client_gone'));
  await assert.rejects(late, isKind('overloaded'));
  gate.resolve();
  await first;
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});

test('held: MAX_IN_FLIGHT counts every image of a request, and a larger request runs alone', async () => {
  const admission = await openWide(10, 10);
  const started: string[] = [];
  const run = (name: string, images: number, gate?: PromiseWithResolvers<void>) =>
    admission.admit(testContext(), images, async () => {
      started.push(name);
      await gate?.promise;
    });
  const [six, four, large] = gates(3);
  const runs = [run('six', 6, six), run('four', 4, four), run('sixty-four', 64, large), run('one', 1)];
  await sleep(1);
  assert.deepEqual(started, ['six', 'four']);
  six?.resolve();
  await runs[0];
  await sleep(1);
  assert.deepEqual(started, ['six', 'four'], 'four images are held still');
  four?.resolve();
  await runs[1];
  await sleep(1);
  assert.deepEqual(started, ['six', 'four', 'sixty-four']);
  large?.resolve();
  await Promise.all(runs);
  assert.deepEqual(started, ['six', 'four', 'sixty-four', 'one']);
});

test('busy: a request works on 8 images at once at most, and on no more than the limit', async () => {
  const seen: number[] = [];
  const wide = await openWide(64, 0);
  for (const images of [1, 5, 64]) await wide.admit(testContext(), images, async (atOnce) => seen.push(atOnce));
  const narrow = open(2, 0);
  await narrow.admit(testContext(), 64, async (atOnce) => seen.push(atOnce));
  await open(1, 0).admit(testContext(), 64, async (atOnce) => seen.push(atOnce));
  assert.deepEqual(seen, [1, 5, 8, 2, 1]);
});

test('batches that end in any way leave nothing counted', async () => {
  const admission = open(3, 100);
  const ends = Array.from({ length: 30 }, async (_, index) => {
    const signal = index % 3 === 0 ? AbortSignal.timeout(1) : testContext().signal;
    const work = async () => {
      await sleep(1);
      if (index % 2 === 0) throw new Error('failed');
    };
    await admission.admit(testContext({ signal }), 1 + (index % 8), work).catch(() => undefined);
  });
  await Promise.all(ends);
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
  const works = gates(3);
  const runs = works.map(({ promise }) => admission.admit(testContext(), 1, () => promise));
  const fourth = admission.admit(testContext(), 1, async () => undefined);
  await sleep(1);
  assert.deepEqual([admission.inFlight, admission.queued], [3, 1], 'exactly three fit');
  for (const { resolve } of works) resolve();
  await Promise.all([...runs, fourth]);
});

test('a request that cannot end in its time is refused at once, with the time to come back', async () => {
  const admission = open(1, 100);
  const pause = () => sleep(50);
  for (let left = 15; left > 0; left -= 1) await admission.admit(testContext(), 1, pause);
  const waiting = Array.from({ length: 41 }, () => admission.admit(testContext(), 1, pause));
  const startMs = performance.now();
  await assert.rejects(
    admission.admit(testContext({ deadlineMs: startMs + 1000 }), 1, async () => assert.fail('ran')),
    (error: GatewayError) => {
      assert.equal(error.kind, 'overloaded');
      // 40 requests wait, 50 ms each, or more on a busy machine.
      assert.ok(error.retryAfterS !== undefined && error.retryAfterS >= 2 && error.retryAfterS <= 30);
      return true;
    },
  );
  assert.ok(performance.now() - startMs < 50);
  await Promise.all(waiting);
});

test('F16: tenants take turns, and a full queue evicts the newest request of the tenant with most of it', async (t) => {
  const admission = open(1, 6);
  const served: string[] = [];
  const refused: string[] = [];
  const send = (tenant: string, name = tenant) =>
    admission
      .admit(testContext({ tenant }), 1, async () => {
        served.push(name);
        await sleep(1);
      })
      .catch((error: GatewayError) => refused.push(`${name} ${error.kind}`));
  const flood = Array.from({ length: 8 }, (_, index) => send('flood', `flood-${index}`));
  const others = ['one', 'other', 'one', 'other'].map((tenant) => send(tenant));
  await Promise.all([...flood, ...others]);
  t.diagnostic(`came: served ${served.join(', ')}; refused ${refused.join(', ')}`);
  assert.deepEqual(served, ['flood-0', 'flood-1', 'one', 'other', 'flood-2', 'one', 'other']);
  assert.deepEqual(
    refused.toSorted(),
    ['flood-7', 'flood-6', 'flood-5', 'flood-4', 'flood-3'].map((name) => `${name} overloaded`).toSorted(),
  );
});

test('waiting for a source takes no room: others are served, and half of the queue stays for them', async () => {
  const admission = open(2, 4);
  const source = Promise.withResolvers<void>();
  const slow = new Set(['slow.example']);
  const fetching = Array.from({ length: 4 }, () => admission.whileFetching(testContext(), slow, () => source.promise));
  assert.equal(admission.inFlight, 4);
  assert.equal(await admission.admit(testContext(), 2, async () => 'served'), 'served');

  const works = gates(2);
  const runs = works.map(({ promise }) => admission.admit(testContext(), 1, () => promise));
  const queued = [1, 2].map((images) => admission.admit(testContext(), images, async () => 'served'));
  await assert.rejects(
    admission.admit(testContext(), 1, async () => undefined),
    isKind('overloaded'),
  );
  source.resolve();
  await Promise.all(fetching);
  for (const { resolve } of works) resolve();
  await Promise.all([...runs, ...queued]);
});

test('a request that was let in to fetch is not refused later because the queue has filled', async () => {
  const admission = open(1, 2);
  const source = Promise.withResolvers<void>();
  const context = testContext();
  const fetched = admission
    .whileFetching(context, new Set(['a.example']), () => source.promise)
    .then(() => admission.admit(context, 1, async () => 'scores'));
  const gate = Promise.withResolvers<void>();
  const others = [1, 2].map(() => admission.admit(testContext(), 1, () => gate.promise));
  await assert.rejects(
    admission.whileFetching(testContext(), new Set(), async () => undefined),
    isKind('overloaded'),
  );
  source.resolve();
  await sleep(1);
  assert.equal(admission.queued, 2);
  gate.resolve();
  assert.equal(await fetched, 'scores');
  await Promise.all(others);
});

test('the limit learns from the time of the work, without that of the sources', async () => {
  const admission = open(64, 64);
  const clock = test.mock.method(performance, 'now');
  let nowMs = 0;
  clock.mock.mockImplementation(() => nowMs);
  for (let left = 15; left > 0; left -= 1) {
    const context = testContext();
    await admission.whileFetching(context, new Set(['a.example']), async () => (nowMs += 5000));
    await admission.admit(context, 1, async () => (nowMs += 20));
  }
  clock.mock.restore();
  assert.equal(admission.serviceMs, 20);
});

test('spare work waits while predictions are queued or busy', async () => {
  const admission = await openWide(8, 4);
  const [spare, ...works] = gates(6);
  assert.ok(spare);
  const runs = works.map(({ promise }) => admission.admit(testContext(), 1, () => promise));
  let hasBegun = false;
  const waiting = admission.admitSpare(testContext(), 16, async () => {
    hasBegun = true;
    await spare.promise;
  });
  await new Promise(setImmediate);
  assert.equal(hasBegun, false);
  for (const { resolve } of works.splice(0)) resolve();
  await Promise.all(runs);
  await new Promise(setImmediate);
  assert.equal(hasBegun, true);

  // Spare work takes half of the limit: predictions have room beside it, and go before more of it.
  const [first, second] = gates(2);
  const beside = admission.admit(testContext(), 4, () => first?.promise ?? assert.fail());
  await new Promise(setImmediate);
  assert.equal(admission.queued, 0);
  let isSecond = false;
  const next = admission.admitSpare(testContext(), 1, async () => {
    isSecond = true;
    await second?.promise;
  });
  spare.resolve();
  await waiting;
  await new Promise(setImmediate);
  assert.equal(isSecond, false);
  first?.resolve();
  await beside;
  second?.resolve();
  await next;
  assert.equal(isSecond, true);
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});

test('spare work leaves its line when its request ends', async () => {
  const admission = open(1, 4);
  const [work] = gates(1);
  const run = admission.admit(testContext(), 1, () => work?.promise ?? assert.fail());
  const controller = new AbortController();
  const waiting = admission.admitSpare(testContext({ signal: controller.signal }), 1, () => assert.fail('not begun'));
  controller.abort(new DOMException('', 'TimeoutError'));
  await assert.rejects(waiting, isKind('overloaded'));
  work?.resolve();
  await run;
  await admission.admitSpare(testContext(), 1, async () => undefined);
  assert.equal(admission.inFlight, 0);
});
