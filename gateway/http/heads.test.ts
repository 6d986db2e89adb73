import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { boundHeads } from './heads.ts';

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
