import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SourceConnection } from './source-connection.ts';

/** A connection to a server, which reads and writes nothing, and its socket. */
async function connection(t: TestContext) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    server.close();
    for (const each of [socket, ...sockets]) each.destroy();
  });
  return { socket, connection: new SourceConnection(socket, 1000) };
}

test('A09: session tickets without end close the connection', async (t) => {
  const { socket, connection: source } = await connection(t);
  for (let tickets = 0; tickets < 16; tickets += 1) socket.emit('session', Buffer.alloc(0));
  assert.equal(source.destroyed, false);
  const failed = once(source, 'error');
  socket.emit('session', Buffer.alloc(0));
  const [error] = await failed;
  assert.match(error.message, /more than 16 session tickets/);
  assert.equal(socket.destroyed, true);
});
