import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { boundHeads } from './heads.ts';
import { oneByOne } from './pipelining.ts';

test('A06: incomplete heads are bounded together; idle connections and complete requests stay', async (t) => {
  const server = boundHeads(
    createServer((_request, response) => response.end('ok')),
    'connection',
    50_000,
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const send = (text: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(text);
    return socket;
  };
  const idle = send(GET);
  await once(idle, 'data');
  const half = Array.from({ length: 10 }, () => send(`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(9990)}`));
  await Promise.all(half.slice(0, 5).map((socket) => once(socket.resume(), 'close')));
  for (const socket of [idle, ...half.slice(6)]) {
    socket.write(socket === idle ? GET : '\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  }
});

test('A01: the head of a request whose body is missing counts, the body does not', async (t) => {
  const received = (request: IncomingMessage) => void request.resume();
  const server = boundHeads(createServer(oneByOne(received)), 'connection', 50_000);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const upload = (name: string, body: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nX-A: ${name}\r\nContent-Length: 1000000\r\n\r\n${body}`);
    return socket.resume();
  };
  const large = upload('a', 'b'.repeat(200_000));
  await once(server, 'request');
  const half = Array.from({ length: 10 }, () => upload('a'.repeat(9990), ''));
  await Promise.all(half.slice(0, 5).map((socket) => once(socket, 'close')));
  assert.deepEqual(
    half.slice(6).map(({ closed }) => closed),
    [false, false, false, false],
  );
  large.destroy();
});

test('E23: a refused client that goes on sending is no incomplete head', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const server = boundHeads(createServer(), 'connection', 50_000);
  server.on('clientError', (_fault, socket) => socket.writable && socket.end('refused'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (let sent = 0; sent < 3; sent += 1) {
    socket.write(Buffer.alloc(40_000));
    await once(server, 'clientError');
    t.mock.timers.tick(100);
  }
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'refused');
  socket.destroy();
});
