import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { createAdmission } from './admission.ts';

const never = new AbortController().signal;
const isKind = (kind: string) => (error: unknown) => error instanceof GatewayError && error.kind === kind;

test('work beyond the places waits in order, and beyond the queue is refused at once', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxQueue: 2 });
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const runs = gates.map(({ promise }, index) =>
    admission.admit(never, async () => {
      started.push(index);
      await promise;
    }),
  );
  await assert.rejects(
    admission.admit(never, async () => undefined),
    isKind('overloaded'),
  );
  assert.deepEqual([admission.inFlight, admission.queued], [1, 2]);
  for (const [index, gate] of gates.entries()) {
    gate.resolve();
    await runs[index];
  }
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});

test('a place is given back when the work fails', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxQueue: 0 });
  await assert.rejects(
    admission.admit(never, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await admission.admit(never, async () => 'yes'), 'yes');
});

test('who gives up while waiting leaves the queue with a kind of its own, and takes no place', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxQueue: 2 });
  const gate = Promise.withResolvers<void>();
  const first = admission.admit(never, () => gate.promise);
  const gone = new AbortController();
  const late = AbortSignal.timeout(5);
  const leaver = admission.admit(gone.signal, async () => assert.fail('ran'));
  const tired = admission.admit(late, async () => assert.fail('ran'));
  gone.abort();
  await assert.rejects(leaver, isKind('client_gone'));
  await assert.rejects(tired, isKind('overloaded'));
  gate.resolve();
  await first;
  assert.deepEqual([admission.inFlight, admission.queued], [0, 0]);
});
