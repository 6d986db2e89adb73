/** Texts of a client that are long and repetitive: each reader takes time in proportion to their length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from 'express';
import { addressesIn } from '../../gateway/door/client-address.ts';
import { contentType, isJsonRequest } from '../../gateway/http/content-type.ts';
import { JsonDecimal, parseExactJson } from '../../gateway/tensor/exact-json.ts';
import { useClothingGateway } from '../clothing-gateway.ts';
import { exchange } from '../raw.ts';

const LENGTH = 2 ** 20;
/** Where the time grows with the square of the length, these texts take minutes. */
const MAX_MS = 5000;

const withHeader = (text: string) => ({ get: () => text }) as unknown as Request;

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'Content-Type': (text) => contentType(withHeader(text)),
  'Content-Type of JSON': (text) => isJsonRequest(withHeader(`application/json;${text}`)),
  'X-Forwarded-For': (text) => addressesIn(text),
  'numbers of JSON': (text) => parseExactJson(`[${text.replace(/\D/g, '1')}]`),
};
const FILLERS = [' ', '\t', '"', ';', ',', '; ', '=', 'a=b ', '\\"', '[', '1', '.', ':', '%', '-'];

for (const [what, read] of Object.entries(READERS)) {
  test(`A24: ${what}: 1 MiB of repeated characters are read in time`, () => {
    const startedMs = performance.now();
    for (const filler of FILLERS) {
      try {
        read(`a${filler.repeat(LENGTH / filler.length)}b`);
      } catch {
        // It may be refused.
      }
    }
    const elapsedMs = performance.now() - startedMs;
    assert.ok(elapsedMs < MAX_MS, `${elapsedMs} ms`);
  });
}

const service = useClothingGateway();

test('A24: 40 requests with a Content-Type of 15,000 spaces are refused, and do not stop others', async (t) => {
  const type = `a${' '.repeat(15_000)}b`;
  const request = `POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: 2\r\n\r\n{}`;
  const startedMs = performance.now();
  const answers = await Promise.all(Array.from({ length: 40 }, () => exchange(service.gateway, request)));
  const elapsedMs = performance.now() - startedMs;
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 415 /);
  // Before: 0.3 s each.
  assert.ok(elapsedMs < 5000, `${elapsedMs} ms`);
  t.diagnostic(`came: 415 within ${Math.round(elapsedMs)} ms`);
});

test('A24: a number of 500,000 digits is no integer, and is refused like one that does not fit', () => {
  const [integer, long, decimal] = parseExactJson(`[18446744073709551616, 1${'0'.repeat(500_000)}, 1.0]`) as unknown[];
  assert.equal(integer, 2n ** 64n);
  assert.deepEqual(long, new JsonDecimal(Number.POSITIVE_INFINITY));
  assert.deepEqual(decimal, new JsonDecimal(1));
});

for (const [what, request, status] of [
  ['a target that is no URL', 'GET http://[/health/live HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a part of a page that it does not have', 'GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=9999999-\r\n\r\n', 200],
  ['a page of another state', 'GET / HTTP/1.1\r\nHost: a\r\nIf-Match: "other"\r\n\r\n', 200],
] as const) {
  test(`A25: ${what}: ${status}`, async () => {
    const answer = await exchange(service.gateway, request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status === 200) return;
    assert.match(answer, /^Content-Type: application\/problem\+json\r$/m);
    const [line] = await service.gateway.linesOf(/X-Request-Id: (\S+)/.exec(answer)?.[1]);
    assert.deepEqual([line?.status, line?.kind], [400, 'invalid_request']);
  });
}
