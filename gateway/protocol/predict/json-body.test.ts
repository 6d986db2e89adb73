import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createJsonCodec } from '../../http/json/codec.ts';
import { format, type JsonBody } from './json-body.ts';

const OPTIONS = { maxInstances: 64 };
const MB = 1e6;

function openReader(t: TestContext, maxHeapBytes = 160 * MB) {
  const reader = createJsonCodec(maxHeapBytes);
  t.after(() => reader.close());
  return (text: string, values = 3): Promise<JsonBody> => {
    const body = Buffer.from(new TextEncoder().encode(text).buffer);
    return reader.read({ body, values }, format, OPTIONS, new AbortController().signal);
  };
}

test('A02: a large body, read in a thread, gives what a small one does', async (t) => {
  const read = openReader(t);
  const image = Buffer.alloc(0.6 * MB, 7);
  const text = JSON.stringify({
    instances: [{ b64: image.toString('base64') }, { url: 'http://a/€' }, { b64: 'AAAA' }],
  });
  const { instances, flat } = await read(text);
  assert.equal(flat, false);
  assert.deepEqual(
    instances.map(({ field }) => field),
    ['instances[0].b64', 'instances[1].url', 'instances[2].b64'],
  );
  assert.deepEqual(
    instances.map((one) => (one.kind === 'url' ? one.url : one.bytes.length)),
    [image.length, 'http://a/€', 3],
  );
  const [same] = (await read('{"url":"http://a/"}', 1e6)).instances;
  assert.deepEqual(same, { kind: 'url', url: 'http://a/', field: 'url' }, 'many values count as large');
});

test('A02: errors of large bodies have kind and text too', async (t) => {
  const read = openReader(t);
  const padding = ' '.repeat(MB);
  for (const [text, kind, message] of [
    [`{${padding}`, 'invalid_json', 'The body is not JSON in UTF-8; send for example {"url": "https://…/pants.jpg"}.'],
    [`\ufeff{}${padding}`, 'invalid_json', /byte order mark/],
    [`{"instances":[${'{},'.repeat(64)}{}]}${padding}`, 'body_too_large', /^instances: at most 64 images/],
    [`{"instances":[{"url":7}]}${padding}`, 'invalid_request', 'instances[0].url: needs a string'],
    [`{"url":"http://a/${'a'.repeat(MB)}"}`, 'invalid_url', 'url: the URL is too long'],
  ] as const) {
    await assert.rejects(read(text), { kind, message });
  }
});

test('A02: the largest body of two bytes a character fits into the heap of the memory rule', async (t) => {
  const read = openReader(t);
  const text = `{"b64":"€${'A'.repeat(32 * MB - 20)}"}`;
  for (let times = 0; times < 2; times += 1) {
    await assert.rejects(read(text), { kind: 'invalid_request', message: 'b64: is not base64 (RFC 4648)' });
  }
});

test('A02: a thread without memory fails its own body only', async (t) => {
  const read = openReader(t, 16 * MB);
  await assert.rejects(read(`[${'{"a":1},'.repeat(MB)}1]`), { kind: 'body_too_large' });
  const { instances } = await read(`{"url":"http://a/"}${' '.repeat(MB)}`);
  assert.equal(instances.length, 1);
});

test('/predict takes few values beside its images', () => {
  const { maxValues, maxDepth } = format.limits(OPTIONS);
  assert.deepEqual([maxValues, maxDepth], [2024, 64]);
});
