/** Connections to TLS ports that begin no handshake, or do not go on with it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type RunningGateway, startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';

const MAX_CONNECTIONS = 40;
/** As many handshakes as the bound, its spare ones and more. */
const STALLED = 100;
/** The start of a ClientHello (RFC 8446, 5.1): a record of 512 bytes, of which one is sent. */
const HELLO = Buffer.of(0x16, 3, 1, 2, 0, 1);

async function start(t: TestContext): Promise<RunningGateway> {
  const models = await modelsFolder(t);
  const [certFile, keyFile] = [path.join(models, 'tls.crt'), path.join(models, 'tls.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-subj', '/CN=localhost'], { stdio: 'pipe' });
  return startGatewayFor(t, {
    TF_SERVING_HOST: 'localhost:1',
    MODELS: models,
    GRPC_PORT: '0',
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
    MAX_CONNECTIONS: String(MAX_CONNECTIONS),
  });
}

async function openTls(port: number, protocol: string): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol] });
  await once(socket, 'secureConnect');
  return socket.on('error', () => undefined);
}

/** Sends the start of a protocol. Resolves with the first bytes of the answer. */
async function ask(socket: TLSSocket, start: string): Promise<Buffer> {
  socket.write(start);
  const [answer] = await once(socket, 'data');
  return answer as Buffer;
}

async function stall(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < STALLED; index += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    if (index % 2 === 0) socket.write(HELLO);
    sockets.push(socket);
    await once(socket, 'connect');
  }
  return sockets;
}

const HTTP = {
  protocol: 'http/1.1',
  start: 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n',
  isAnswered: (bytes: Buffer) => bytes.toString('latin1').startsWith('HTTP/1.1 200 '),
};
/** The preface of HTTP/2, which is answered with SETTINGS, a frame of type 4. */
const GRPC = {
  protocol: 'h2',
  start: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  isAnswered: (bytes: Buffer) => bytes[3] === 4,
};

test('A21: handshakes that do not go on take no place from clients, on both TLS ports', async (t) => {
  const gateway = await start(t);
  const ports = [
    { ...HTTP, port: Number(new URL(gateway.url).port) },
    { ...GRPC, port: Number(gateway.grpcTarget.split(':')[1]) },
  ];
  for (const { protocol, port, start, isAnswered } of ports) {
    const idle = await openTls(port, protocol);
    assert.ok(isAnswered(await ask(idle, start)));
    const stalled = await stall(port);
    for (let client = 0; client < 5; client += 1) {
      const socket = await openTls(port, protocol);
      assert.ok(isAnswered(await ask(socket, start)));
      socket.destroy();
    }
    assert.equal(idle.readableEnded || idle.destroyed, false, 'an idle client keeps its connection');
    const left = stalled.filter((socket) => !socket.destroyed).length;
    t.diagnostic(`came: ${protocol}: all clients are answered beside ${STALLED} handshakes, of which ${left} are left`);
    for (const socket of [idle, ...stalled]) socket.destroy();
  }
});

/** Node ends a handshake after ten seconds. */
const LATE_MS = 8000;

test('A21: a shutdown does not wait for handshakes that are not complete', async (t) => {
  const gateway = await start(t);
  const ports = [Number(new URL(gateway.url).port), Number(gateway.grpcTarget.split(':')[1])];
  const stalled = (await Promise.all(ports.map(stall))).flat();
  const startedMs = performance.now();
  assert.equal(await gateway.stop(), 0);
  const tookMs = performance.now() - startedMs;
  t.diagnostic(`came: it ended after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < LATE_MS, `${tookMs} ms`);
  assert.equal(gateway.log.find(({ msg }) => msg === 'drained')?.answered, true);
  for (const socket of stalled) socket.destroy();
});
