import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '../../tests/until.ts';
import { countPiece, takeTurns } from './reading-turns.ts';

/** What Node reads at once, 64 KiB, as chunks of one byte. */
const PIECES_OF_READ = 11_000;
const CONNECTIONS = 30;
const PIECES = 20_000;

test('A01: connections that send tiny pieces are read one by one, and all of them in the end', async (t) => {
  let piecesOfTurn = 0;
  let mostPieces = 0;
  let pieces = 0;
  let answered = 0;
  const server = createServer((request, response) => {
    request.on('data', () => {
      if (piecesOfTurn === 0)
        setImmediate(() => {
          piecesOfTurn = 0;
        });
      piecesOfTurn += 1;
      pieces += 1;
      mostPieces = Math.max(mostPieces, piecesOfTurn);
      countPiece(request.socket);
    });
    request.on('end', () => response.end('ok'));
  });
  takeTurns(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket.on('data', () => {
      answered += 1;
    });
  };
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (const socket of sockets) socket.write(`${head}${'1\r\nx\r\n'.repeat(PIECES)}0\r\n\r\n`);
  await until(() => answered === CONNECTIONS, 60_000);
  assert.equal(pieces, CONNECTIONS * PIECES);
  assert.ok(mostPieces < 2 * PIECES_OF_READ, `${mostPieces} pieces in one turn`);
});

test('A01: a connection that has sent many tiny pieces, a few in each turn, is read after all others', async (t) => {
  const order: string[] = [];
  const server = createServer((request, response) => {
    order.push(request.url ?? '');
    response.end('ok');
  });
  takeTurns(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const open = async () => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    t.after(() => client.destroy());
    return { client, socket: (await accepted)[0] };
  };
  const [tiny, large] = [await open(), await open()];
  for (let turn = 0; turn < 10; turn += 1) {
    for (let piece = 0; piece < 100; piece += 1) {
      countPiece(tiny.socket);
      countPiece(large.socket, false);
    }
    await new Promise(setImmediate);
  }
  for (let piece = 0; piece < 2000; piece += 1) countPiece(large.socket, false); // stops the reading of all
  for (const [url, { client }] of Object.entries({ tiny, large }))
    client.write(`GET /${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until(() => order.length === 2);
  assert.deepEqual(order, ['/large', '/tiny']);
});
