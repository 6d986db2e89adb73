/** Calls whose connection or stream ends. */
import assert from 'node:assert/strict';
import { createServer, constants as http2, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER, connect, forward, listen, predict, serve, timed } from '../../../tests/backend.ts';

/** Responds with the shortest PredictResponse: no outputs. */
function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}

/** A bare HTTP/2 server; streams are numbered from 1. */
async function serveRaw(t: TestContext, onCall: (stream: ServerHttp2Stream, number: number) => void): Promise<string> {
  let number = 0;
  const server = createServer().on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    number += 1;
    onCall(stream, number);
  });
  t.after(() => server.close());
  return listen(server);
}

test('E10: every tenth stream is refused by the server: no call fails', async (t) => {
  let resets = 0;
  const target = await serveRaw(t, (stream, number) => {
    if (number % 10 !== 0) return answer(stream);
    resets += 1;
    stream.close(http2.NGHTTP2_REFUSED_STREAM);
  });
  const { backend, statuses } = await connect(t, target);
  for (let round = 0; round < 200; round += 1) await predict(backend);
  assert.ok(resets >= 20);
  assert.deepEqual([statuses.length, new Set(statuses)], [200, new Set(['Predict OK'])]);
});

test('E10: GOAWAY during calls: started calls are answered, the others use a new connection', async (t) => {
  let sessions = 0;
  const target = await serveRaw(t, (stream, number) => {
    setTimeout(() => !stream.destroyed && answer(stream), 30);
    if (number % 20 !== 0) return;
    sessions += 1;
    stream.session?.goaway(http2.NGHTTP2_NO_ERROR, stream.id);
  });
  const { backend, statuses } = await connect(t, target);
  const callers = Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 20; round += 1) await predict(backend);
  });
  await Promise.all(callers);
  assert.ok(sessions >= 5, `${sessions} connections`);
  assert.deepEqual([statuses.length, new Set(statuses)], [160, new Set(['Predict OK'])]);
});

test('E10: a frozen server is detected within 8 s of a call, and its calls go to another server', async (t) => {
  const servers = [await serve(t, slowly), await serve(t, slowly)] as const;
  const frozen = await forward(t, servers[0].target);
  const { backend, statuses } = await connect(t, `${frozen.target},${servers[1].target}`);
  for (let round = 0; round < 4; round += 1) await predict(backend);
  frozen.freeze();
  const startMs = performance.now();
  const stuck = Array.from({ length: 4 }, () => timed(() => predict(backend, { timeoutMs: 20_000 })));
  await sleep(200);
  const meanwhile: number[] = [];
  while (performance.now() - startMs < 3000) meanwhile.push(await timed(() => predict(backend)));
  const slowestMs = Math.max(...(await Promise.all(stuck)));
  t.diagnostic(
    `came: stuck calls answered after ${slowestMs.toFixed()} ms, ${meanwhile.length} others meanwhile, the slowest in ${Math.max(...meanwhile).toFixed()} ms`,
  );
  assert.ok(slowestMs > 3000 && slowestMs < 12_000, `${slowestMs} ms`);
  assert.ok(Math.max(...meanwhile) < 1500, 'no other call goes to the frozen server');
  assert.deepEqual(new Set(statuses), new Set(['Predict OK']));
});

test('E10: with hedging, a frozen server delays a call by no more than the hedge', async (t) => {
  const servers = [await serve(t, slowly), await serve(t, slowly)] as const;
  const frozen = await forward(t, servers[0].target);
  const { backend, statuses, extra } = await connect(t, `${frozen.target},${servers[1].target}`, { hedgeAfterMs: 200 });
  for (let round = 0; round < 4; round += 1) await predict(backend);
  frozen.freeze();
  const times = await Promise.all(Array.from({ length: 8 }, () => timed(() => predict(backend))));
  assert.ok(Math.max(...times) < 2000, `${Math.max(...times)} ms`);
  assert.ok(extra.length >= 1 && extra.every((reason) => reason === 'hedge'), `${extra}`);
  assert.deepEqual(new Set(statuses), new Set(['Predict OK']));
});

async function slowly(): Promise<object> {
  await sleep(10);
  return ANSWER;
}
