import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJsonCodec } from './codec.ts';
import { format } from './test-format.ts';

/** Larger than what is read at once. */
const large = () => ({
  body: Buffer.from(new Uint8Array(Buffer.from(JSON.stringify('x'.repeat(600_000)))).buffer),
  values: 1,
});

test('a large body whose request ends leaves the queue of the worker, and the next ones are read', async (t) => {
  const codec = createJsonCodec(64e6);
  t.after(() => codec.close());
  const [client, other] = [new AbortController(), new AbortController()];
  const [first, gone, last] = [large(), large(), large()];
  const reads = [
    codec.read(first, format, undefined, other.signal),
    codec.read(gone, format, undefined, client.signal),
    codec.read(last, format, undefined, other.signal),
  ];
  client.abort(new DOMException('the client closed the connection', 'AbortError'));
  await assert.rejects(reads[1] ?? assert.fail(), { kind: 'client_gone' });
  assert.deepEqual([await reads[0], await reads[2]], [600_000, 600_000]);
  assert.ok(gone.body.buffer.byteLength > 600_000, 'its memory was not moved to the worker');
  assert.equal(last.body.buffer.byteLength, 0);
});

test('a large body whose deadline passes in the queue is refused as overloaded', async (t) => {
  const codec = createJsonCodec(64e6);
  t.after(() => codec.close());
  const first = codec.read(large(), format, undefined, new AbortController().signal);
  await assert.rejects(codec.read(large(), format, undefined, AbortSignal.timeout(1)), {
    kind: 'overloaded',
    status: 429,
  });
  assert.equal(await first, 600_000);
});
