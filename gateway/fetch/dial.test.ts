import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDialer } from './dial.ts';
import { Refusal } from './finding.ts';
import type { Guard } from './guard.ts';
import { INSIDE, startOrigin } from './test-origin.ts';

const OPTIONS = { connectTimeoutMs: 2000, maxSockets: 1, maxBytes: 1000, userAgent: 'tensorgate/test' };
const { signal } = new AbortController();

test('the address of the connected socket is checked before a request is sent, on kept connections too', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('x'));
  const checked: string[] = [];
  let refuseFrom = 3;
  const guard: Pick<Guard, 'checkAddress'> = {
    checkAddress(address) {
      if (checked.push(address) > refuseFrom) throw new Refusal({ rule: 'address', text: address });
    },
  };
  const dialer = createDialer(guard, OPTIONS);
  t.after(() => dialer.close());
  const url = new URL(origin.url);

  (await dialer.get(url, signal)).resume();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assert.rejects(dialer.get(url, signal), Refusal);
  assert.deepEqual(checked, [INSIDE, INSIDE, INSIDE, INSIDE]);
  assert.deepEqual([origin.connections(), origin.requests.length], [1, 1], 'the kept connection carried the request');

  refuseFrom = 5;
  await assert.rejects(dialer.get(url, signal), Refusal);
  assert.deepEqual([origin.connections(), origin.requests.length], [2, 1], 'the new connection carried the request');
});
