/** What becomes of a group, by the gateway's answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Item } from './item.ts';
import { Refused } from './refused.ts';
import { send } from './send.ts';

const GROUP: readonly Item[] = [0, 1, 2].map((index) => ({ index, json: String(index) }));

type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown };

/** Sends a group to a server with this answer. */
async function sentTo(t: TestContext, { status = 200, headers = {}, body }: Answer, group = GROUP) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`);
  return send(group, { url, headers: { Connection: 'close' }, timeoutMs: 10_000 });
}

const problem = (status: number, kind: string) => ({
  type: `urn:tensorgate:error:${kind}`,
  status,
  kind,
  detail: kind,
});

test('each item gets its prediction or its own error, and what may be answered later is sent again', async (t) => {
  const predictions = [{ p: 1 }, { error: problem(422, 'image_unreadable') }, { error: problem(502, 'source_failed') }];
  const { rows, retry } = await sentTo(t, { body: { predictions } });
  assert.deepEqual(rows, [
    { index: 0, prediction: { p: 1 } },
    { index: 1, error: { kind: 'image_unreadable', status: 422, detail: 'image_unreadable' } },
  ]);
  assert.deepEqual(retry?.group, [GROUP[2]]);
  assert.deepEqual([retry.isBusy, retry.isSuspect], [false, true]);
});

test('a refused group is halved, and a refused item has failed', async (t) => {
  const answer = { status: 400, body: problem(400, 'invalid_request') };
  assert.deepEqual((await sentTo(t, answer)).halves, [GROUP.slice(0, 2), GROUP.slice(2)]);
  const { rows } = await sentTo(t, answer, GROUP.slice(0, 1));
  assert.equal(rows[0]?.error?.kind, 'invalid_request');
});

test('a gateway without room is waited for as long as Retry-After says', async (t) => {
  for (const [header, least, most] of [
    ['2', 2000, 2000],
    [new Date(Date.now() + 60_000).toUTCString(), 1000, 60_000],
  ] as const) {
    const answer = { status: 429, headers: { 'Retry-After': header }, body: problem(429, 'overloaded') };
    const { rows, retry } = await sentTo(t, answer);
    assert.deepEqual([rows, retry?.group, retry?.isBusy, retry?.isSuspect], [[], GROUP, true, false]);
    assert.ok((retry?.retryAfterMs ?? 0) >= least && (retry?.retryAfterMs ?? 0) <= most, header);
  }
  const { retry } = await sentTo(t, { status: 503, body: '<h1>proxy</h1>' });
  assert.deepEqual([retry?.error.kind, retry?.retryAfterMs], ['http_503', undefined]);
});

test('what no request of the batch would survive stops it', async (t) => {
  for (const answer of [
    { status: 401, body: problem(401, 'unauthenticated') },
    { status: 404, body: problem(404, 'model_not_found') },
    { body: '<html>login</html>' },
    { body: { predictions: [1] } },
  ]) {
    await assert.rejects(sentTo(t, answer), Refused);
  }
});

test('a server that does not answer is waited for', async () => {
  const target = { url: new URL('http://127.0.0.1:1/predict'), headers: {}, timeoutMs: 5000 };
  const { retry } = await send(GROUP, target);
  assert.deepEqual([retry?.group, retry?.isBusy, retry?.error.kind], [GROUP, true, 'no_answer']);
});

test('a picture that cannot be read has failed, and nothing is sent', async () => {
  const target = { url: new URL('http://127.0.0.1:1/predict'), headers: {}, timeoutMs: 5000 };
  const { rows } = await send([{ index: 4, input: 'a.jpg', picture: () => readFile('/nonexistent/a.jpg') }], target);
  assert.deepEqual(rows, [
    { index: 4, input: 'a.jpg', error: { kind: 'file_unreadable', detail: 'cannot be read (ENOENT)' } },
  ]);
});
