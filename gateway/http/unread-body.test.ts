import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { until } from '../../tests/until.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import { joinUnread } from './unread-body.ts';

type OnRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function start(t: TestContext, onRequest: OnRequest, budget = new ByteBudget(1e6)) {
  class Request extends IncomingMessage {
    constructor(socket: Socket) {
      super(socket);
      joinUnread(this, budget);
    }
  }
  const server = createServer({ IncomingMessage: Request }, (request, response) => void onRequest(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Resolves when the whole body has arrived, or as much as is kept. */
const arrived = (request: IncomingMessage) => until(() => request.complete || request.socket.isPaused());

test('A01: a body that nobody reads yet is one piece, and nothing is lost', async (t) => {
  const pieces: number[] = [];
  const port = await start(t, async (request, response) => {
    await arrived(request);
    request.on('data', (piece: Buffer) => pieces.push(piece.length));
    request.once('end', () => response.end('ok'));
  });
  for (const [count, most] of [
    [0, 0],
    [1, 1],
    [5000, 1],
  ] as const) {
    pieces.length = 0;
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`);
    assert.match(await text(socket), /^HTTP\/1.1 200 /);
    assert.equal(
      pieces.reduce((sum, bytes) => sum + bytes, 0),
      count,
    );
    assert.ok(pieces.length <= most, `${pieces.length} pieces of ${count}`);
  }
});

test('A01: fetch and async iteration read a body that waited', async (t) => {
  const port = await start(t, async (request, response) => {
    await arrived(request);
    let bytes = 0;
    for await (const piece of request) bytes += piece.length;
    response.end(String(bytes));
  });
  const body = 'x'.repeat(1_000_000);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })).text(), '1000000');
});

test('A01: unread bodies take no more than their budget together', async (t) => {
  const requests: IncomingMessage[] = [];
  const onRequest = async (request: IncomingMessage) => void requests.push(request);
  const port = await start(t, onRequest, new ByteBudget(100_000));
  const send = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(50_000)}`);
    return socket;
  };
  const first = await send();
  await until(() => requests[0]?.socket.isPaused() === true);
  const second = await send();
  await once(second.resume(), 'close');
  assert.equal(first.destroyed, false);
  requests[0]?.resume();
  const third = await send();
  await until(() => requests[2]?.socket.isPaused() === true);
  assert.equal(third.destroyed, false, 'what is read makes room');
});
