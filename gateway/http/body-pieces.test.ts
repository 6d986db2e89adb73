/** Bodies in many pieces, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { FREE_PIECES, MIN_PIECE_BYTES } from './body-pieces.ts';
import { onBroken } from './broken-body.ts';
import { closeAfterPeer } from './linger.ts';
import { refuseMalformed } from './malformed.ts';
import { createLimitedServer } from './server.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
const END = '0\r\n\r\n';

/** Starts a server that answers with the number of bytes of the body. */
async function start(t: TestContext) {
  const log = createLog('silent', process.stdout);
  const server = createLimitedServer(
    async (request, response) => {
      let bytes = 0;
      request.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      request.once('end', () => response.end(`${bytes} bytes`));
      // As the door does.
      onBroken(request, ({ status, message }) => {
        response.writeHead(status).write(message);
        request.socket.end();
        closeAfterPeer(request.socket);
      });
    },
    { requestTimeoutMs: 5000, maxConnections: 100, log },
  );
  refuseMalformed(server, { log, metrics: createMetrics({ inFlight: 0, queued: 0, limit: 1 }, { share: 0 }) });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (chunks: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(HEAD + chunks);
    return text(socket);
  };
}

const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

test('A01: a body may have some tiny pieces, and many larger ones', async (t) => {
  const send = await start(t);
  assert.match(await send(chunk(1).repeat(FREE_PIECES - 1) + END), new RegExp(`^${FREE_PIECES - 1} bytes$`, 'm'));
  // A chunk that arrives in two reads is two pieces.
  const large = chunk(1.25 * MIN_PIECE_BYTES).repeat(5000);
  assert.match(await send(large + END), new RegExp(`^${5000 * 1.25 * MIN_PIECE_BYTES} bytes$`, 'm'));
});

test('A01: more tiny pieces are 400, whatever their extensions, and the rest is dropped', async (t) => {
  const send = await start(t);
  for (const chunks of [
    chunk(1).repeat(20_000),
    chunk(2).repeat(20_000),
    '1;a=b\r\nx\r\n'.repeat(20_000),
    chunk(50_000) + chunk(1).repeat(20_000),
  ])
    assert.match(await send(chunks + END), /^HTTP\/1.1 400 .*larger chunks\./s);
});
