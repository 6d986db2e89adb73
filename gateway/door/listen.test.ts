import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { listen, stopListening } from './listen.ts';

const host = '127.0.0.1';

/** Listens on a free port. */
async function start(t: TestContext, sockets: number, onConnection: (socket: Socket) => void = () => undefined) {
  const server = createServer(onConnection);
  await listen(server, { host, port: 0 }, sockets);
  const { port } = server.address() as AddressInfo;
  t.after(() => stopListening(server, () => undefined));
  return { server, port };
}

/** Connections that are made at once. */
function connectTo(t: TestContext, port: number, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect(port, host).on('error', () => undefined);
    t.after(() => socket.destroy());
    return socket;
  });
}

test('several connections of a burst are accepted in a turn of the event loop', async (t) => {
  if (process.platform !== 'linux') return t.skip('needs SO_REUSEPORT as Linux has it');
  const burst = 64;
  const turns: number[] = [];
  const all = Promise.withResolvers<void>();
  let ofTurn = 0;
  const { port } = await start(t, 8, () => {
    if (ofTurn === 0)
      setImmediate(() => {
        turns.push(ofTurn);
        ofTurn = 0;
        if (turns.reduce((sum, count) => sum + count) === burst) all.resolve();
      });
    ofTurn += 1;
  });
  connectTo(t, port, burst);
  await all.promise;
  assert.ok(Math.max(...turns) > 1, turns.join());
});

test('a port has one server only', async (t) => {
  const { port } = await start(t, 8);
  for (const sockets of [1, 8])
    await assert.rejects(listen(createServer(), { host, port }, sockets), { code: 'EADDRINUSE' });
  const plain = await start(t, 1);
  await assert.rejects(listen(createServer(), { host, port: plain.port }, 8), { code: 'EADDRINUSE' });
});

test('a server that has stopped listening keeps its connections, and tells when the last has closed', async (t) => {
  const accepted: Socket[] = [];
  const { server, port } = await start(t, 8, (socket) => void accepted.push(socket));
  const sockets = connectTo(t, port, 32);
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  while (accepted.length < sockets.length) await once(server, 'connection');
  let isClosed = false;
  const closed = Promise.withResolvers<void>();
  stopListening(server, () => {
    isClosed = true;
    closed.resolve();
  });
  const [late] = connectTo(t, port, 1);
  assert.ok(late);
  const [refusal] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(refusal.code, 'ECONNREFUSED');
  await Promise.all(accepted.slice(1).map((socket) => once(socket.destroy(), 'close')));
  assert.equal(isClosed, false);
  accepted[0]?.destroy();
  await closed.promise;
});
