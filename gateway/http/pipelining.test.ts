/** Pipelined requests over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { until } from '../../tests/until.ts';
import { createLog } from '../observe/log.ts';
import { MAX_UNANSWERED } from './pipelining.ts';
import { createLimitedServer } from './server.ts';

async function start(t: TestContext, listener: RequestListener) {
  const log = createLog('silent', process.stdout);
  const server = createLimitedServer(listener, { requestTimeoutMs: 5000, maxConnections: 100, log });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function send(port: number, ...paths: readonly string[]): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  return socket;
}

test('A05: pipelined requests are handled one after the other, and answered in their order', async (t) => {
  let running = 0;
  const { port } = await start(t, async ({ url }, response) => {
    running += 1;
    assert.equal(running, 1, 'one at a time');
    await new Promise((resolve) => setTimeout(resolve, url === '/1' ? 20 : 0));
    running -= 1;
    if (url === '/5') response.setHeader('Connection', 'close');
    response.end(url);
  });
  const answers = await text(send(port, '/1', '/2', '/3', '/4', '/5', '/6'));
  assert.deepEqual(answers.match(/\/\d$|\/\d(?=HTTP)/g), ['/1', '/2', '/3', '/4', '/5']);
});

test('A05: no more than 16 requests of a connection are parsed before they are answered', async (t) => {
  const responses: ServerResponse[] = [];
  const { server, port } = await start(t, (_request, response) => void responses.push(response));
  const rest = Promise.withResolvers<Socket>();
  server.once('upgrade', (_request, socket) => rest.resolve(socket as Socket));
  const socket = send(port, ...Array(2000).fill('/'));
  const given = await rest.promise;
  assert.equal(responses.length, 1, 'the others wait');
  const answers = text(socket);
  for (let count = 0; count < MAX_UNANSWERED; count += 1) {
    await until(() => responses.length > count);
    responses[count]?.end('ok');
  }
  await until(() => responses.at(-1)?.closed === true);
  given.end();
  assert.equal((await answers).match(/200 OK/g)?.length, MAX_UNANSWERED);
  assert.equal(responses.length, MAX_UNANSWERED);
});

test('A05: a new request is answered before those that wait on many other connections', async (t) => {
  let handled = 0;
  const { port } = await start(t, (_request, response) => {
    handled += 1;
    response.end('ok');
  });
  const floods = Array.from({ length: 50 }, () => send(port, ...Array(MAX_UNANSWERED).fill('/')).resume());
  await once(floods.at(-1) as Socket, 'data');
  await once(send(port, '/new'), 'data');
  assert.ok(handled < 50 * MAX_UNANSWERED, `${handled} of ${50 * MAX_UNANSWERED}`);
  await until(() => handled === 50 * MAX_UNANSWERED + 1);
});

test('A05: when the client goes, its waiting requests are not handled, and all their responses close', async (t) => {
  let closed = 0;
  let handled = 0;
  const { server, port } = await start(t, () => {
    handled += 1;
  });
  server.on('request', (_request, response) => response.once('close', () => (closed += 1)));
  const socket = send(port, '/1', '/2', '/3');
  await until(() => handled === 1);
  socket.resetAndDestroy();
  await until(() => closed === 3);
  assert.equal(handled, 1);
});

test('A17: a client that has closed its half of the connection gets all its answers', async (t) => {
  const { port } = await start(t, ({ url }, response) => void setTimeout(() => response.end(url), 60));
  const socket = send(port, '/1', '/2');
  socket.end();
  const answers = await text(socket);
  assert.match(answers, /^HTTP\/1\.1 100 Continue/, 'it is asked whether it is still there');
  assert.deepEqual(answers.match(/\/\d$|\/\d(?=HTTP)/g), ['/1', '/2']);
});

test('A17: the response of a client that has gone closes within 100 ms', async (t) => {
  const response = Promise.withResolvers<ServerResponse>();
  const { port } = await start(t, (_request, given) => response.resolve(given));
  const socket = send(port, '/');
  const open = await response.promise;
  socket.destroy();
  const goneMs = performance.now();
  await once(open, 'close');
  const tookMs = performance.now() - goneMs;
  assert.ok(tookMs < 1000, `${tookMs} ms`);
  t.diagnostic(`came: closed after ${Math.round(tookMs)} ms`);
});
