/** The public HTTP server: malformed HTTP over raw sockets, header limits, idle connections, CORS, metrics. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { type ModelServer, startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { exchange, open } from './raw.ts';

const jpeg = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const photo = { b64: jpeg.toString('base64') };
const ORIGIN = 'https://shop.example';

let model: ModelServer;
let settings: Record<string, string>;
let gateway: RunningGateway;

before(async (t) => {
  model = await startClothingModel();
  settings = { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t as TestContext) };
  gateway = await startGateway({ ...settings, REQUEST_TIMEOUT: '1s', CORS_ORIGINS: ORIGIN });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  assert.equal(code, 0);
});

const POST = 'POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
const SMUGGLED = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';

for (const [what, bytes] of [
  [
    'Content-Length before Transfer-Encoding',
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'Transfer-Encoding before Content-Length',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['two different Content-Lengths', `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}${SMUGGLED}`],
  ['the same Content-Length twice', `${POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['a list of Content-Lengths', `${POST}Content-Length: 2, 2\r\n\r\n{}${SMUGGLED}`],
  ['two Host headers', `${POST}Host: b\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['a Content-Length with a sign', `${POST}Content-Length: +2\r\n\r\n{}${SMUGGLED}`],
  ['an unknown Transfer-Encoding', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['bare LF after a header', `POST /predict HTTP/1.1\r\nHost: a\nX-A: b\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['bare LF everywhere', `POST /predict HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}${SMUGGLED}`],
  ['bare LF after the headers', `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\n{}${SMUGGLED}`],
  ['bare CR', `POST /predict HTTP/1.1\r\nHost: a\rX-A: b\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['a folded header', `${POST}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['bare LF in chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n${SMUGGLED}`],
  ['a chunk size that is not a number', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n${SMUGGLED}`],
] as const) {
  test(`D7: ${what}: 400, the connection is closed, and the bytes after it are not read as a request`, async (t) => {
    const answers = await exchange(gateway, bytes);
    assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 400']);
    assert.match(answers, /^Connection: close\r$/m);
    assert.match(answers, /"kind":"invalid_request"/);
    t.diagnostic(`came: ${answers.slice(0, answers.indexOf('\r\n'))}`);
  });
}

test('D7: bytes that are not HTTP are logged once and counted', async () => {
  const answer = await exchange(gateway, 'hello\r\n\r\n');
  const [, id] = /X-Request-Id: (\S+)/.exec(answer) ?? [];
  const lines = await gateway.linesOf(id);
  assert.deepEqual(
    lines.map(({ kind, status }) => [kind, status]),
    [['invalid_request', 400]],
  );
  const metrics = await gateway.metrics();
  assert.match(metrics, /^tensorgate_requests_total\{route="none",status="400",kind="invalid_request"\} \d+$/m);
});

test('D16: a header of 16 KiB + 1 byte is 431, as are 10,000 small headers; smaller headers pass', async (t) => {
  const head = 'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
  const statusOf = async (headers: string) => (await exchange(gateway, `${head}${headers}\r\n`)).slice(9, 12);
  const came = [
    await statusOf(`X-A: ${'a'.repeat(16_000)}\r\n`),
    await statusOf(`X-A: ${'a'.repeat(16 * 1024 + 1)}\r\n`),
    await statusOf('a:b\r\n'.repeat(10_000)),
  ];
  assert.deepEqual(came, ['404', '431', '431']);
  t.diagnostic(`came: ${came}`);
});

test('D16, H3: an X-Request-Id of 10 KB, with a newline or with Unicode is replaced and not logged', async () => {
  const idOf = (answer: string) => /^X-Request-Id: (.*)\r$/m.exec(answer)?.[1] ?? '';
  const ask = (id: string) =>
    exchange(
      gateway,
      Buffer.from(`GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: ${id}\r\n\r\n`),
    );
  const made = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  for (const id of [
    'i'.repeat(10_000),
    'ünïcode',
    '\u001b[31mred',
    'two words',
    'one\n{"level":"fatal"}',
    'one\r\n\tmore',
  ]) {
    assert.match(idOf(await ask(id)), made, id.slice(0, 20));
  }
  assert.equal(idOf(await ask('given-by.the:client/1')), 'given-by.the:client/1');
  assert.equal((await gateway.linesOf('given-by.the:client/1')).length, 1);
  // Each log line is one JSON object: startGateway fails on any other line.
  assert.ok(gateway.log.every(({ level }) => level !== 'fatal'));
});

test('D18: headers sent byte by byte: 408 within 6 s, and other requests are answered', async (t) => {
  const socket = await open(gateway);
  const startedMs = performance.now();
  socket.write('GET /nowhere HTTP/1.1\r\nHost: a\r\nX-A: ');
  const drip = setInterval(() => socket.write('a'), 100);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  clearInterval(drip);
  const tookMs = performance.now() - startedMs;
  assert.match(answer.toString(), /^HTTP\/1\.1 408 /);
  assert.ok(tookMs < 6000, `${tookMs} ms`);
  socket.destroy();
  assert.equal((await predict(gateway, photo)).status, 200);
  t.diagnostic(`came: 408 after ${Math.round(tookMs)} ms`);
});

test('D18: with 3,000 idle sockets other requests are answered, and the sockets are closed', async (t) => {
  const rss = async () => {
    const metrics = await gateway.metrics();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]);
  };
  const beforeBytes = await rss();
  const idle = async () => {
    const socket = await open(gateway);
    return { closed: new Promise((resolve) => socket.resume().on('error', resolve).on('close', resolve)) };
  };
  const sockets: { closed: Promise<unknown> }[] = [];
  while (sockets.length < 3000) {
    sockets.push(...(await Promise.all(Array.from({ length: 300 }, idle))));
    // This answer shows that all earlier connections were accepted. A connection beyond the kernel's accept queue is
    // dropped and never closed.
    await (await fetch(`${gateway.url}/health/live`, { headers: { Connection: 'close' } })).text();
  }
  const startedMs = performance.now();
  assert.equal((await predict(gateway, photo)).status, 200);
  const answeredMs = performance.now() - startedMs;
  const mb = Math.round(((await rss()) - beforeBytes) / 1e6);
  await Promise.all(sockets.map(({ closed }) => closed));
  assert.ok(answeredMs < 3000, `${answeredMs} ms`);
  assert.ok(mb < 100, `${mb} MB`);
  t.diagnostic(`came: 200 in ${Math.round(answeredMs)} ms beside 3,000 idle sockets of ${mb} MB, all closed`);
});

test('D19: answers are JSON for any Accept, and never compressed because they are small', async (t) => {
  const response = await fetch(`${gateway.url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg', Accept: 'text/html', 'Accept-Encoding': 'gzip' },
    body: new Uint8Array(jpeg),
  });
  const bytes = (await response.text()).length;
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/json']);
  assert.equal(response.headers.get('content-encoding'), null);
  assert.ok(bytes < 1024);
  t.diagnostic(`came: application/json, ${bytes} bytes, not encoded`);
});

test('every answer has the security headers for browsers', async () => {
  for (const path of ['/health/live', '/nowhere', '/predict']) {
    const { headers } = await fetch(`${gateway.url}${path}`);
    assert.equal(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'");
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('strict-transport-security'), null, 'only with TLS');
    assert.equal(headers.get('x-powered-by'), null);
  }
});

test('CORS: a listed origin passes the preflight and can read errors; others get no CORS headers', async () => {
  const preflight = (origin: string) =>
    fetch(`${gateway.url}/predict`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    });
  const allowed = await preflight(ORIGIN);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Authorization, Content-Type, X-API-Key/);
  assert.equal(allowed.headers.get('vary'), 'Origin');
  const failed = await fetch(`${gateway.url}/nowhere`, { headers: { Origin: ORIGIN } });
  assert.equal(failed.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(failed.headers.get('access-control-expose-headers') ?? '', /X-Request-Id/);
  for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'null', 'http://shop.example']) {
    const refused = await preflight(origin);
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('access-control-allow-origin'), null, origin);
  }
});

test('H2: new paths, ids, models, versions and URLs add no metric series', async (t) => {
  const series = async () => (await gateway.metrics()).match(/^tensorgate_.*(?= )/gm);
  const round = (n: number) => [
    fetch(`${gateway.url}/${n}/x`, { headers: { 'X-Request-Id': `id-${n}` } }),
    predict(gateway, { b64: 'AAAA' }, `?model=m${n}`),
    predict(gateway, { b64: 'AAAA' }, `?version=${n + 100}`),
    predict(gateway, { url: `http://10.0.0.1/${n}.jpg` }),
  ];
  await Promise.all(round(0));
  const first = await series();
  for (let n = 1; n <= 30; n += 1) await Promise.all(round(n));
  assert.deepEqual(await series(), first);
  t.diagnostic(`came: ${first?.length} series before and after`);
});
