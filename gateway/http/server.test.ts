/** The server's limits, over real sockets. openssl makes the TLS certificates. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { until } from '../../tests/until.ts';
import { createLog } from '../observe/log.ts';
import { createLimitedServer } from './server.ts';

function makeCertificate(folder: string, name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  const args = ['req', '-x509', ...key, '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '2'];
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

async function startTls(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'door-tls-'));
  const file = (name: string) => path.join(folder, name);
  const use = (name: string) => {
    copyFileSync(file(`${name}.key`), file('tls.key'));
    copyFileSync(file(`${name}.crt`), file('tls.crt'));
  };
  for (const name of ['first', 'second']) makeCertificate(folder, name);
  use('first');
  const lines: string[] = [];
  const server = createLimitedServer((_request, response) => response.end('ok'), {
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

test('new connections get a renewed certificate; an invalid certificate is logged and not used', async (t) => {
  const { port, file, use, lines } = await startTls(t);
  use('second');
  await until(async () => (await handshake(port)).name === 'second');
  writeFileSync(file('tls.crt'), 'half a certifi');
  await until(() => lines.some((line) => line.includes('"level":"error"')));
  assert.equal((await handshake(port)).name, 'second');
});

test('D18: a connection over the limit is closed, together with all idle ones, which makes room', async (t) => {
  const log = createLog('silent', process.stdout);
  const server = createLimitedServer((_request, response) => response.end('ok'), {
    requestTimeoutMs: 1000,
    maxConnections: 20,
    log,
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  // Data written before the connection is open is sent when it opens.
  const ask = () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return socket;
  };
  const kept = Array.from({ length: 20 }, ask);
  await Promise.all(kept.map((socket) => once(socket, 'data')));
  const closed = kept.map((socket) => once(socket, 'close'));
  await once(ask().resume(), 'close');
  await Promise.all(closed);
  const [answer] = (await once(ask(), 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  server.closeAllConnections();
});
