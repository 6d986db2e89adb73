import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '../../tests/until.ts';
import { readInTurn } from './body-turns.ts';

const BODIES = 8;
const BODY_BYTES = 4e6;
/** Node reads so much at once. */
const READ_BYTES = 64 * 1024;

test('A01: large bodies are read in turn, one read in each turn of the event loop, and all to their end', async (t) => {
  class Request extends IncomingMessage {
    constructor(socket: Socket) {
      super(socket);
      readInTurn(this);
    }
  }
  const bytesOf = new Map<string, number>();
  let bytesOfTurn = 0;
  let most = 0;
  let turnsBegun = 0;
  const server = createServer({ IncomingMessage: Request }, (request, response) => {
    const name = request.url ?? '';
    request.on('data', (piece: Buffer) => {
      bytesOf.set(name, (bytesOf.get(name) ?? 0) + piece.length);
      if (bytesOfTurn === 0)
        setImmediate(() => {
          turnsBegun += 1;
          // The first reads are free, and come at once.
          if (turnsBegun > 10) most = Math.max(most, bytesOfTurn);
          bytesOfTurn = 0;
        });
      bytesOfTurn += piece.length;
    });
    request.once('end', () => response.end('ok'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  let answered = 0;
  for (let index = 0; index < BODIES; index += 1) {
    const socket = connect(port, '127.0.0.1').once('data', () => {
      answered += 1;
    });
    t.after(() => socket.destroy());
    socket.write(`POST /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
    socket.write('x'.repeat(BODY_BYTES));
  }
  await until(() => answered === BODIES, 60_000);
  assert.deepEqual([...bytesOf.values()], Array(BODIES).fill(BODY_BYTES));
  assert.ok(most <= 2 * READ_BYTES, `${most} bytes in one turn`);
});
