import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../domain/request.ts';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { Admission } from './admission.ts';
import { insist } from './retry-while-full.ts';

const isKind = (kind: string) => (error: unknown) => error instanceof GatewayError && error.kind === kind;

/** A number of pieces of work that end when they are told. */
function gates(count: number) {
  return Array.from({ length: count }, () => Promise.withResolvers<void>());
}

function open(maxInFlight: number, maxQueue: number): Admission {
  return new Admission({ maxInFlight, maxQueue, imagesAtOnce: 8 });
}

test('work beyond the places waits in order, and beyond the queue is refused at once', async () => {
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

test('a place is given back when the work fails', async () => {
  const admission = open(1, 0);
  await assert.rejects(
    admission.admit(testContext(), 1, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await admission.admit(testContext(), 1, async () => 'yes'), 'yes');
});

test('who gives up while waiting leaves the queue with a kind of its own, and takes no place', async () => {
  const admission = open(1, 2);
  const gate = Promise.withResolvers<void>();
  const first = admission.admit(testContext(), 1, () => gate.promise);
  const gone = new AbortController();
  const late = AbortSignal.timeout(5);
  const leaver = admission.admit(testContext({ signal: gone.signal }), 1, async () => assert.fail('ran'));
  const tired = admission.admit(testContext({ signal: late }), 1, async () => assert.fail('ran'));
  gone.abort();
  await assert.rejects(leaver, isKind('client_gone'));
  await assert.rejects(tired, isKind('overloaded'));
  gate.resolve();
  await first;
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});

test('images are counted: a batch takes as many lanes as it works on at once, a larger one than all goes alone', async () => {
  const admission = open(10, 10);
  const [batch, single, whole] = gates(3);
  const running: string[] = [];
  const run = (name: string, images: number, gate?: PromiseWithResolvers<void>) =>
    admission.admit(testContext(), images, async () => {
      running.push(name);
      await gate?.promise;
    });
  const runs = [run('8 of 64', 64, batch), run('1', 1, single), run('another 8', 8, whole)];
  await sleep(1);
  assert.deepEqual(running, ['8 of 64', '1'], 'the third batch needs more than the one lane that is left');
  batch?.resolve();
  await runs[0];
  await sleep(1);
  assert.deepEqual(running, ['8 of 64', '1', 'another 8']);
  single?.resolve();
  whole?.resolve();
  await Promise.all(runs);

  const narrow = open(2, 10);
  await narrow.admit(testContext(), 64, async () => assert.equal(narrow.inFlight, 1));
});

test('what could not end in its time is refused at once, and told when to come back', async () => {
  const admission = open(1, 100);
  const pause = () => sleep(50);
  await Promise.all(Array.from({ length: 5 }, () => admission.admit(testContext(), 1, pause)));
  const patient = Array.from({ length: 41 }, () => admission.admit(testContext(), 1, pause));
  const hurried = testContext({ deadlineMs: performance.now() + 1000 });
  const startedMs = performance.now();
  await assert.rejects(
    admission.admit(hurried, 1, async () => assert.fail('ran')),
    (error: GatewayError) => {
      assert.equal(error.kind, 'overloaded');
      // Forty wait, at 50 ms each or somewhat more on a busy machine.
      assert.ok(error.retryAfterS !== undefined && error.retryAfterS >= 2 && error.retryAfterS <= 30);
      return true;
    },
  );
  assert.ok(performance.now() - startedMs < 50);
  await Promise.all(patient);
});

test('F16: tenants take turns, and when the queue is full the one with most in it loses its newest', async (t) => {
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
  assert.deepEqual(served, ['flood-0', 'flood-1', 'one', 'other', 'flood-2', 'one', 'other'].slice(0, served.length));
  assert.deepEqual(
    refused.toSorted(),
    ['flood-7', 'flood-6', 'flood-5', 'flood-4', 'flood-3'].map((name) => `${name} overloaded`).toSorted(),
  );
});

test('E20: a call that the full backend refuses waits here and is made again, at less work at once, while there is time', async () => {
  const admission = open(64, 64);
  const before = admission.limit;
  let calls = 0;
  const call = async () => {
    calls += 1;
    if (calls < 3) throw new GatewayError('overloaded', 'no room there');
    return 'scores';
  };
  const context = testContext();
  assert.equal(await admission.admit(context, 1, () => insist(admission, context, call)), 'scores');
  assert.equal(calls, 3);
  assert.ok(admission.limit < before);

  const short = testContext({ deadlineMs: performance.now() + 10 });
  calls = 0;
  await assert.rejects(
    admission.admit(short, 1, () => insist(admission, short, call)),
    isKind('overloaded'),
  );
  assert.equal(calls, 1);
});

test('the limit learns from the work, by the time spent in decode and predict alone', async () => {
  const admission = open(64, 64);
  const times = new Map<Stage, number>([
    ['fetch', 5000],
    ['decode', 7],
    ['predict', 13],
  ]);
  for (let left = 15; left > 0; left -= 1) await admission.admit(testContext({ times }), 1, async () => undefined);
  assert.equal(admission.serviceMs, 20);
});

test('a batch that has more images at once than lanes are left comes to its end', async () => {
  const admission = open(64, 0);
  // The limit is at its least, as after some time of slow answers; a batch alone gets its lanes all the same.
  const clock = test.mock.method(performance, 'now');
  for (let ms = 0; admission.limit > 3; ms += 1000) {
    clock.mock.mockImplementation(() => ms);
    admission.backOff();
  }
  clock.mock.restore();
  const context = testContext({ signal: AbortSignal.timeout(5000) });
  let done = 0;
  await admission.admit(context, 8, async () => {
    const fillOne = async () => {
      await admission.lend(context, () => sleep(1));
      await sleep(1);
      done += 1;
      admission.rest(context);
    };
    await Promise.all(Array.from({ length: 8 }, fillOne));
    context.signal.throwIfAborted();
  });
  assert.equal(done, 8);
  // Nothing is lost or counted twice: three single ones fit, and no fourth.
  const gate = Promise.withResolvers<void>();
  const runs = Array.from({ length: 3 }, () => admission.admit(testContext(), 1, () => gate.promise));
  await assert.rejects(
    admission.admit(testContext(), 1, () => gate.promise),
    isKind('overloaded'),
  );
  gate.resolve();
  await Promise.all(runs);
});
