/** Thousands of pipelined requests, and what Node would answer by itself: from outside, over raw sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { useClothingGateway } from '../clothing-gateway.ts';
import { exchange, open } from '../raw.ts';

const jpeg = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));

const service = useClothingGateway();

const GET = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n';
const POST =
  'POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"url":"x"}';
const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(-3)));

/** One answer is logged and counted like those of all routes. */
async function assertLogged(answer: string, status: number, kind: string): Promise<void> {
  assert.match(answer, /^Content-Type: application\/problem\+json(; charset=utf-8)?\r$/m);
  const id = [...answer.matchAll(/X-Request-Id: (\S+)/g)].at(-1)?.[1];
  const lines = (await service.gateway.linesOf(id)).map((line) => [line.status, line.kind]);
  assert.deepEqual(lines, [[status, kind]]);
  const series = `tensorgate_requests_total{route="none",status="${status}",kind="${kind}"}`;
  assert.ok((await service.gateway.metrics()).includes(series), series);
}

for (const [what, request, first] of [
  ['GET /health/live', GET, 200],
  ['POST /predict', POST, 400],
] as const) {
  test(`A05: 60 kB of pipelined ${what}: about 16 are answered, the next is refused with 429, the rest is dropped`, async () => {
    const answers = await exchange(service.gateway, request.repeat(60_000 / request.length));
    // More than 16 where some are answered before the last bytes arrive.
    const came = statuses(answers) ?? [];
    assert.ok(came.length > 16 && came.length < 50, `${came.length}`);
    assert.deepEqual(came, [...Array(came.length - 1).fill(first), 429]);
    await assertLogged(answers.slice(answers.lastIndexOf('HTTP/1.1 429')), 429, 'overloaded');
  });
}

test('A05: beside 100 such connections other clients are answered', async (t) => {
  const flood = POST.repeat(60_000 / POST.length);
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open(service.gateway)));
  const ended = sockets.map((socket: Socket) => once(socket.on('error', () => undefined).resume(), 'close'));
  for (const socket of sockets) socket.write(flood);
  let slowestMs = 0;
  for (let count = 0; count < 10; count += 1) {
    const sentMs = performance.now();
    const { status } = await fetch(`${service.gateway.url}/health/live`);
    assert.equal(status, 200);
    slowestMs = Math.max(slowestMs, performance.now() - sentMs);
  }
  await Promise.all(ended);
  // Before: 9,000 ms with 50 connections.
  assert.ok(slowestMs < 3000, `${slowestMs} ms`);
  t.diagnostic(`came: 200 within ${Math.round(slowestMs)} ms`);
});

test('A05: requests before a faulty one are answered first', async () => {
  const answers = await exchange(service.gateway, `${POST}${POST}nonsense\r\n\r\n`);
  assert.deepEqual(statuses(answers), [400, 400, 400]);
  assert.match(answers.slice(answers.lastIndexOf('HTTP/1.1 400')), /not a valid HTTP\/1\.1 request/);
});

for (const [what, request, status, kind] of [
  ['an unknown Expect', GET.replace('\r\n\r\n', '\r\nExpect: foo\r\n\r\n'), 400, 'invalid_request'],
  ['no Host', 'GET /health/live HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
  ['CONNECT', 'CONNECT img.test:80 HTTP/1.1\r\nHost: img.test:80\r\n\r\n', 405, 'method_not_allowed'],
] as const) {
  test(`A17: ${what}: ${status} as a problem, a log line and a metric, and the connection is closed`, async () => {
    const answer = await exchange(service.gateway, request);
    assert.deepEqual(statuses(answer), [status]);
    assert.match(answer, /^Connection: close\r$/m);
    await assertLogged(answer, status, kind);
  });
}

test('A17: CONNECT behind other requests is answered after them', async () => {
  const answers = await exchange(service.gateway, `${POST}${GET}CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`);
  assert.deepEqual(statuses(answers), [400, 200, 405]);
});

test('A17: a request to upgrade is answered as if it had not asked', async () => {
  const upgrade = 'Connection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n';
  assert.deepEqual(statuses(await exchange(service.gateway, GET.replace('\r\n\r\n', `\r\n${upgrade}`))), [200]);
});

test('A17: HTTP/1.0 needs no Host', async () => {
  assert.deepEqual(statuses(await exchange(service.gateway, 'GET /health/live HTTP/1.0\r\n\r\n')), [200]);
});

test('A17: a half-closed client gets its answer', async () => {
  const socket = await open(service.gateway);
  socket.write(
    `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`,
  );
  socket.end(jpeg);
  const answers = await text(socket);
  assert.equal(statuses(answers)?.at(-1), 200);
  assert.match(answers, /"pants":/);
});
