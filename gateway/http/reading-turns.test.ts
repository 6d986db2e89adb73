import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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
