/** The server's limits, over real sockets. openssl makes the TLS certificates. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { until } from '../../tests/until.ts';
import { createLog } from '../observe/log.ts';
import { isSurplus } from './connections.ts';
import { createLimitedServer } from './server.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function makeCertificate(folder: string, name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  const args = ['req', '-x509', ...key, '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '2'];
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

async function startTls(t: TestContext, listener: RequestListener = (_request, response) => response.end('ok')) {
  const folder = mkdtempSync(path.join(tmpdir(), 'door-tls-'));
  const file = (name: string) => path.join(folder, name);
  const use = (name: string) => {
    copyFileSync(file(`${name}.key`), file('tls.key'));
    copyFileSync(file(`${name}.crt`), file('tls.crt'));
  };
  for (const name of ['first', 'second']) makeCertificate(folder, name);
  use('first');
  const lines: string[] = [];
  const server = createLimitedServer(listener, {
    requestTimeoutMs: 1000,
    maxConnections: 10,
    tls: { certFile: file('tls.crt'), keyFile: file('tls.key'), pollMs: 50 },
    log: createLog('info', { write: (line) => void lines.push(line) }),
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  return { port, file, use, lines };
}

/** Opens a TLS connection: the name in the server's certificate, and the negotiated protocols. */
async function handshake(port: number, options: tls.ConnectionOptions = {}) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  const result = {
    name: socket.getPeerCertificate().subject.CN,
    version: socket.getProtocol(),
    alpn: socket.alpnProtocol,
  };
  socket.destroy();
  return result;
}

test('HTTPS accepts TLS 1.2 and 1.3 with HTTP/1.1, and no older TLS', async (t) => {
  const { port } = await startTls(t);
  assert.deepEqual(await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] }), {
    name: 'first',
    version: 'TLSv1.3',
    alpn: 'http/1.1',
  });
  assert.equal((await handshake(port, { maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
  const old = { minVersion: 'TLSv1' as const, maxVersion: 'TLSv1.1' as const, ciphers: 'DEFAULT@SECLEVEL=0' };
  await assert.rejects(handshake(port, old), /alert protocol version|unsupported protocol/);
});

test('A17: with HTTPS too, a client that has closed its half of the connection gets its answer', async (t) => {
  const { port } = await startTls(t, (_request, response) => void setTimeout(() => response.end('ok'), 60));
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
  const socket = tls.connect(options);
  socket.end(GET);
  assert.match(await text(socket), /^HTTP\/1\.1 100 Continue(.|\s)*ok$/);
});

test('new connections get a renewed certificate; an invalid certificate is logged and not used', async (t) => {
  const { port, file, use, lines } = await startTls(t);
  use('second');
  await until(async () => (await handshake(port)).name === 'second');
  writeFileSync(file('tls.crt'), 'half a certifi');
  await until(() => lines.some((line) => line.includes('"level":"error"')));
  assert.equal((await handshake(port)).name, 'second');
});

async function startPlain(t: TestContext, listener: RequestListener, maxConnections = 20): Promise<number> {
  const log = createLog('silent', process.stdout);
  const server = createLimitedServer(listener, { requestTimeoutMs: 1000, maxConnections, log });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Opens a connection that sends the text once it is open. */
function send(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(text);
  return socket;
}

test('D18, A06: at the limit the connections that wait longest for a request are closed, and new ones are answered', async (t) => {
  const port = await startPlain(t, (_request, response) => response.end('ok'));
  const waiting = {
    nothing: '',
    'half of the headers': 'GET / HTTP/1.1\r\nHost: a\r\n',
    'half of a body': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1234',
    'an answered request': GET,
  };
  for (const [what, text] of Object.entries(waiting)) {
    const before = Array.from({ length: 20 }, () => send(port, text).resume());
    await Promise.all(before.map((socket) => once(socket, 'connect')));
    const closed = before.map((socket) => once(socket, 'close'));
    for (let count = 0; count < 40; count += 1) {
      const [answer] = (await once(send(port, GET), 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200 /, what);
    }
    await Promise.all(closed);
  }
});

test('A06: when all connections wait for their answers, they stay, a few new ones are surplus, and more are closed', async (t) => {
  const responses: ServerResponse[] = [];
  const port = await startPlain(t, ({ socket }, response) => {
    if (isSurplus(socket)) response.writeHead(503, { Connection: 'close' }).end();
    else responses.push(response);
  });
  const busy = Array.from({ length: 20 }, () => send(port, GET));
  await until(() => responses.length === 20);
  const [answer] = (await once(send(port, GET), 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 503 /);
  const silent = Array.from({ length: 5 }, () => send(port, ''));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const dropped = send(port, GET).resume();
  await until(() => dropped.closed);
  assert.equal(silent.filter(({ closed }) => closed).length, 0);
  for (const socket of silent) socket.destroy();
  for (const response of responses) response.end('ok');
  await Promise.all(busy.map((socket) => once(socket, 'data')));
});

test('A06: a client that does not read its answer is closed', async (t) => {
  const closed = Promise.withResolvers<void>();
  const port = await startPlain(t, (_request, response) => {
    response.once('close', () => closed.resolve());
    response.end(Buffer.alloc(64 * 2 ** 20));
  });
  send(port, GET).pause();
  await closed.promise;
});
