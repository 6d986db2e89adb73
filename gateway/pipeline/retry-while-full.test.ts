import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { retryWhileFull } from './retry-while-full.ts';

/** An admission that counts, and a call that fails so many times before it succeeds. */
function rig(failures: number) {
  const seen = { backOffs: 0, calls: 0 };
  return {
    seen,
    admission: { serviceMs: 5, backOff: () => (seen.backOffs += 1) },
    async call() {
      seen.calls += 1;
      if (seen.calls <= failures) throw new GatewayError('overloaded', 'the backend is full');
      return 'scores';
    },
  };
}

test('E20: a call that the full backend refuses is retried while there is time, and lowers the limit', async () => {
  const { seen, admission, call } = rig(2);
  assert.equal(await retryWhileFull(admission, testContext(), call), 'scores');
  assert.deepEqual(seen, { backOffs: 2, calls: 3 });
});

test('a call is not retried when the gateway itself has no memory for the answer', async () => {
  const { seen, admission } = rig(0);
  const call = async () => {
    seen.calls += 1;
    throw new GatewayError('overloaded', 'no memory', { isUnavailable: true });
  };
  await assert.rejects(retryWhileFull(admission, testContext(), call), { kind: 'overloaded', status: 503 });
  assert.deepEqual(seen, { backOffs: 0, calls: 1 });
});

test('a call is not retried when the time left is too short', async () => {
  const { seen, admission, call } = rig(2);
  const context = testContext({ deadlineMs: performance.now() + 10 });
  await assert.rejects(retryWhileFull(admission, context, call), { kind: 'overloaded' });
  assert.deepEqual(seen, { backOffs: 0, calls: 1 });
});

test('a retry that runs out of time is told as overloaded, not as a timeout of the model', async () => {
  const { admission } = rig(0);
  let calls = 0;
  const call = async () => {
    calls += 1;
    throw new GatewayError(calls === 1 ? 'overloaded' : 'model_timeout', 'no');
  };
  await assert.rejects(retryWhileFull(admission, testContext(), call), { kind: 'overloaded' });
  assert.equal(calls, 2);
});

test('other failures are not retried', async () => {
  const { admission } = rig(0);
  await assert.rejects(
    retryWhileFull(admission, testContext(), async () => {
      throw new GatewayError('model_failed', 'no');
    }),
    { kind: 'model_failed' },
  );
});
