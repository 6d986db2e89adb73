/** Row B5 with real certificates, made by openssl. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { context, failureOf, INSIDE, names, openFetch, startOrigin, startRawOrigin } from './test-origin.ts';
import { startProxy } from './test-proxy.ts';

const HOST = 'img.example.com';
const folder = mkdtempSync(join(tmpdir(), 'tensorgate-tls-'));
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Issues a certificate for one host, signed by the test's own authority. */
function issue(name: string, host: string, days: string): void {
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-subj', `/CN=${host}`, '-out', `${name}.csr`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${host}`);
  const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-extfile', `${name}.ext`];
  openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-days', days, '-out', `${name}.crt`);
}

before(() => {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  issue('good', HOST, '2');
  issue('expired', HOST, '-1');
  issue('other', 'other.example.com', '2');
  openssl('req', '-x509', ...newKey, '-keyout', 'alone.key', '-out', 'alone.crt', '-subj', `/CN=${HOST}`, '-days', '2');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file('ca.crt'), 'utf8')]);
});

after(() => rmSync(folder, { recursive: true }));

type TlsOrigin = { readonly port: number; readonly requests: IncomingMessage[]; readonly connections: () => number };

/** Starts an HTTPS server with this certificate. It redirects to `location` if given. */
async function startTls(t: TestContext, certificate: string, location?: string): Promise<TlsOrigin> {
  const requests: IncomingMessage[] = [];
  let connections = 0;
  const [key, cert] = ['key', 'crt'].map((ending) => readFileSync(file(`${certificate}.${ending}`)));
  const server = https.createServer({ key, cert }, (request, response) => {
    requests.push(request);
    if (location) response.writeHead(302, { location });
    response.end('x');
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, INSIDE);
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, requests, connections: () => connections };
}

const options = { allowPrivate: true, lookup: names({ [HOST]: [INSIDE] }) };

test('the Host header and the TLS server name are those of the URL', async (t) => {
  const origin = await startTls(t, 'good');
  const fetch = openFetch(t, options);
  for (const _ of [1, 2]) assert.equal(String(await fetch(`https://${HOST}:${origin.port}/`, 'url', context())), 'x');
  const [request] = origin.requests;
  assert.ok(request);
  assert.equal(request.headers.host, `${HOST}:${origin.port}`);
  assert.equal((request.socket as TLSSocket & { servername: string }).servername, HOST);
  assert.equal(origin.connections(), 1);
});

test('A09: a server that asks for a new handshake is left', async (t) => {
  let handshakes = 0;
  const [key, cert] = ['key', 'crt'].map((ending) => readFileSync(file(`good.${ending}`)));
  const server = tls.createServer({ key, cert, maxVersion: 'TLSv1.2' }, (socket) => {
    const again = () =>
      socket.renegotiate({}, (error) => {
        if (error) return;
        handshakes += 1;
        again();
      });
    socket.on('error', () => {}).once('data', again);
  });
  server.listen(0, INSIDE);
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `https://${HOST}:${(server.address() as AddressInfo).port}/`;
  await failureOf(openFetch(t, options)(url, 'url', context()), 'source_failed');
  assert.equal(handshakes, 0);
});

const REASONS = { expired: /expired/, other: /altnames|does not match/i, alone: /self-signed/ };

for (const [certificate, reason] of Object.entries(REASONS)) {
  test(`B5: a certificate that is ${certificate}: no request, no retry, the reason in the cause only`, async (t) => {
    const origin = await startTls(t, certificate);
    const failing = openFetch(t, options)(`https://${HOST}:${origin.port}/`, 'url', context());
    const failure = await failureOf(failing, 'source_failed');
    assert.equal(failure.status, 502);
    assert.match((failure.cause as Error).message, reason);
    assert.doesNotMatch(failure.message, /certificate|TLS|SSL/i);
    assert.deepEqual([origin.requests.length, origin.connections()], [0, 1]);
  });
}

test('B5: a reset during the handshake is not retried', async (t) => {
  let connections = 0;
  const url = await startRawOrigin(t, (socket) => {
    connections += 1;
    socket.once('data', () => socket.resetAndDestroy());
  });
  const failure = await failureOf(
    openFetch(t, options)(url.replace('http:', 'https:'), 'url', context()),
    'source_failed',
  );
  assert.deepEqual([failure.status, connections], [502, 1]);
});

test('B6: a handshake that never ends fails after the connect timeout', async (t) => {
  const url = await startRawOrigin(t, () => {});
  const fetch = openFetch(t, { ...options, connectTimeoutMs: 100 });
  const startedMs = performance.now();
  await failureOf(fetch(url.replace('http:', 'https:'), 'url', context()), 'source_timeout');
  assert.ok(performance.now() - startedMs < 1500);
});

test('A29: a redirect from https to http is not followed', async (t) => {
  const plain = await startOrigin(t, (_request, response) => response.end('x'));
  const origin = await startTls(t, 'good', plain.url);
  const failing = openFetch(t, options)(`https://${HOST}:${origin.port}/`, 'url', context());
  await failureOf(failing, 'source_forbidden');
  assert.deepEqual([origin.requests.length, plain.requests.length], [1, 0]);
});

test("C18: TLS through a proxy: the source's certificate is checked against the URL's host", async (t) => {
  const proxy = await startProxy(t);
  for (const certificate of ['good', 'other', 'alone'] as const) {
    const origin = await startTls(t, certificate);
    const fetch = openFetch(t, { allowPrivate: true, lookup: names({ [HOST]: [INSIDE] }), proxy: proxy.url });
    const fetching = fetch(`https://${HOST}:${origin.port}/`, 'url', context());
    if (certificate === 'good') assert.equal(String(await fetching), 'x');
    else await failureOf(fetching, 'source_failed');
    assert.equal(origin.requests.length, certificate === 'good' ? 1 : 0);
    assert.equal(proxy.targets.at(-1), `${INSIDE}:${origin.port}`);
  }
});
