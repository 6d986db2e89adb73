import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, connect as openSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  ANSWER,
  connect,
  failsWith,
  forward,
  IMAGE,
  listen,
  open,
  predict,
  SMALL,
  serve,
  timed,
  untilAnswered,
} from '../../../tests/backend.ts';
import type { OnPredict } from '../../../tests/model-server.ts';
import { until } from '../../../tests/until.ts';
import type { PredictTarget } from '../../domain/backend.ts';
import type { RequestContext } from '../../domain/request.ts';
import { GatewayError, type Kind } from '../../errors.ts';

const SECRET = 'tensor at /srv/models of 10.1.2.3';

test('a Predict sends model, signature and tensor, and its response is read', async (t) => {
  const server = await serve(t);
  const { backend, statuses } = await connect(t, server.target);
  const call = backend.prepare({ ...SMALL, servable: { model: 'm', version: 3 } }, 4);
  call.tensor.set([1, 2, 3, 4, 5, 6]);
  const context = { deadlineMs: performance.now() + 5000, signal: new AbortController().signal } as RequestContext;
  const { version, outputs } = await call.send(3, context);
  assert.equal(version, 1);
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  assert.deepEqual(outputs.get('dense_7'), { dtype: 'DT_FLOAT', shape: [1, 2], bytes });
  const [{ spec, inputs } = assert.fail()] = server.calls;
  assert.equal(spec.name, 'm');
  assert.equal(spec.signature_name, 'serving_default');
  assert.equal(spec.version?.value, '3');
  assert.deepEqual(inputs.input_8?.shape, [3, 2]);
  assert.deepEqual(inputs.input_8?.tensor_content, Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
  assert.deepEqual(statuses, ['Predict OK']);
});

test('metadata and status are read', async (t) => {
  const server = await serve(t);
  const { backend, statuses } = await connect(t, server.target);
  const { version, signatures } = await backend.metadata({ model: 'clothing-model' }, new AbortController().signal);
  assert.equal(version, 1);
  assert.deepEqual(signatures.get('serving_default'), {
    inputs: [{ name: 'input_8', dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] }],
    outputs: [{ name: 'dense_7', dtype: 'DT_FLOAT', shape: [-1, 10] }],
  });
  const versions = await backend.status('clothing-model', new AbortController().signal);
  assert.deepEqual(versions, [{ version: 1, state: 'AVAILABLE', error: '' }]);
  assert.deepEqual(statuses, ['GetModelMetadata OK', 'GetModelStatus OK']);
});

test('E4: the server is sent the time left', async (t) => {
  const server = await serve(t);
  const { backend } = await connect(t, server.target);
  await predict(backend);
  for (const timeoutMs of [200, 3000]) {
    const startMs = Date.now();
    await predict(backend, { timeoutMs });
    const deadline = server.calls.at(-1)?.raw.getDeadline();
    const leftMs = Number(deadline) - startMs;
    assert.ok(Math.abs(leftMs - timeoutMs) <= 50, `${leftMs} ms left of ${timeoutMs}`);
  }
});

test('E4: a Predict that hangs is cancelled at the deadline, on the server too', async (t) => {
  const cancelled = Promise.withResolvers<void>();
  const server = await serve(t, async ({ raw }) => {
    await once(raw, 'cancelled');
    cancelled.resolve();
    return ANSWER;
  });
  const { backend } = await connect(t, server.target);
  await backend.status('m', new AbortController().signal);
  const tookMs = await timed(() => assert.rejects(predict(backend, { timeoutMs: 150 }), failsWith('model_timeout')));
  assert.ok(tookMs >= 140 && tookMs < 400, `${tookMs} ms`);
  await cancelled.promise;
  await assert.rejects(predict(backend, { timeoutMs: -1 }), failsWith('model_timeout'));
});

test('an aborted signal cancels the call on the server, and its reason decides the error', async (t) => {
  const seen = { started: 0, cancelled: 0 };
  const server = await serve(t, async ({ raw }) => {
    seen.started += 1;
    await once(raw, 'cancelled');
    seen.cancelled += 1;
    return ANSWER;
  });
  const { backend } = await connect(t, server.target);
  for (const [name, kind] of [
    ['AbortError', 'client_gone'],
    ['TimeoutError', 'model_timeout'],
  ] as const) {
    const controller = new AbortController();
    const answer = assert.rejects(predict(backend, { signal: controller.signal }), failsWith(kind));
    const before = seen.started;
    await until(() => seen.started > before);
    controller.abort(new DOMException('', name));
    await answer;
    await assert.rejects(
      predict(backend, { signal: controller.signal }),
      failsWith(kind),
      'nothing is sent after the abort',
    );
  }
  await sleep(50);
  assert.deepEqual(seen, { started: 2, cancelled: 2 });
});

const KINDS: readonly (readonly [keyof typeof status, Kind])[] = [
  ['RESOURCE_EXHAUSTED', 'overloaded'],
  ['INTERNAL', 'model_failed'],
  ['INVALID_ARGUMENT', 'internal'],
  ['NOT_FOUND', 'model_not_found'],
  ['UNIMPLEMENTED', 'model_failed'],
  ['FAILED_PRECONDITION', 'model_failed'],
  ['DEADLINE_EXCEEDED', 'model_timeout'],
  ['CANCELLED', 'model_failed'],
  ['UNKNOWN', 'model_failed'],
  ['ABORTED', 'model_failed'],
  ['DATA_LOSS', 'model_failed'],
  ['PERMISSION_DENIED', 'model_failed'],
  ['UNAVAILABLE', 'model_unavailable'],
];

/** RESOURCE_EXHAUSTED is a refusal before any work (E20), so it is retried four times. */
const ATTEMPTS: Partial<Record<keyof typeof status, number>> = { UNAVAILABLE: 2, RESOURCE_EXHAUSTED: 5 };

test('E5: each status has its kind, the server text stays in the cause, and only UNAVAILABLE and RESOURCE_EXHAUSTED are retried', async (t) => {
  let code = status.OK;
  const server = await serve(t, () => {
    throw { code, details: SECRET };
  });
  const { backend, statuses } = await connect(t, server.target);
  for (const [name, kind] of KINDS) {
    code = status[name];
    const before = server.calls.length;
    await assert.rejects(predict(backend), (error) => failsWith(kind)(error) && causeHas(error, SECRET));
    assert.equal(server.calls.length - before, ATTEMPTS[name] ?? 1, `attempts after ${name}`);
    assert.equal(statuses.at(-1), `Predict ${name}`);
  }
  assert.equal(statuses.length, KINDS.length, 'a retry does not count as an RPC');
});

function causeHas(error: unknown, text: string): boolean {
  return error instanceof GatewayError && error.cause instanceof Error && error.cause.message.includes(text);
}

test('a Predict with images is retried too, and the second answer is used', async (t) => {
  let attempts = 0;
  const server = await serve(t, () => {
    attempts += 1;
    if (attempts === 1) throw { code: status.UNAVAILABLE, details: 'not now' };
    return ANSWER;
  });
  const { backend, statuses } = await connect(t, server.target);
  await predict(backend, { target: IMAGE, count: 4 });
  assert.equal(attempts, 2);
  assert.deepEqual(statuses, ['Predict OK']);
});

test('two servers share the calls', async (t) => {
  const servers = [await serve(t), await serve(t)];
  const { backend } = await connect(t, servers.map(({ target }) => target).join(', '));
  await untilAnswered(backend);
  await sleep(50);
  for (let index = 0; index < 100; index += 1) await predict(backend);
  for (const { calls } of servers) assert.ok(calls.length >= 40, `${calls.length} of 101`);
});

test('E2: one of two servers is killed under load, and no call fails', async (t) => {
  const slow: OnPredict = async () => {
    await sleep(20);
    return ANSWER;
  };
  const servers = [await serve(t, slow), await serve(t, slow)] as const;
  const mortal = await forward(t, servers[0].target);
  const { backend, statuses } = await connect(t, `${mortal.target},${servers[1].target}`);
  await untilAnswered(backend);
  await sleep(50);
  let isEnding = false;
  const calls = Array.from({ length: 16 }, async () => {
    while (!isEnding) await predict(backend, { target: IMAGE });
  });
  await until(() => servers[0].calls.length >= 24);
  mortal.kill();
  const before = servers[1].calls.length;
  await until(() => servers[1].calls.length > before + 64);
  isEnding = true;
  await Promise.all(calls);
  assert.deepEqual(new Set(statuses), new Set(['Predict OK']));
});

test('E1: without a server at startup calls fail within 150 ms, and a server that starts later is found', async (t) => {
  const { target, close } = await serve(t);
  close();
  const { backend, statuses } = open(t, target);
  for (let round = 0; round < 3; round += 1) {
    const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')));
    assert.ok(tookMs <= 150, `${tookMs} ms`);
    await sleep(100);
  }
  assert.deepEqual(statuses, Array(3).fill('Predict UNAVAILABLE'));
  await serve(t, undefined, Number(target.split(':')[1]));
  assert.ok((await untilAnswered(backend)) < 2000);
});

test('E1: a server that accepts the connection and sends nothing fails calls within 400 ms', async (t) => {
  const silent = createServer((socket) => t.after(() => socket.destroy()));
  t.after(() => silent.close());
  const { backend } = open(t, await listen(silent));
  const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')));
  assert.ok(tookMs <= 400, `${tookMs} ms`);
});

test('E3: a server that was down is used again within 2 s', async (t) => {
  const { target, close } = await serve(t);
  const { backend } = await connect(t, target);
  await predict(backend);
  close();
  await assert.rejects(predict(backend), failsWith('model_unavailable'));
  await sleep(1500);
  const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')));
  assert.ok(tookMs <= 150, `${tookMs} ms`);
  await serve(t, undefined, Number(target.split(':')[1]));
  assert.ok((await untilAnswered(backend)) < 2000);
});

test('E3: calls that failed in an outage are not sent when the server is back', async (t) => {
  const { target, close } = await serve(t);
  const { backend } = await connect(t, target);
  close();
  const times = await Promise.all(
    Array.from({ length: 300 }, () => timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')))),
  );
  t.diagnostic(`came: 300 refusals, the slowest after ${Math.max(...times).toFixed()} ms`);
  assert.ok(Math.max(...times) < 2000, `${Math.max(...times)} ms`);
  const again = await serve(t, undefined, Number(target.split(':')[1]));
  await untilAnswered(backend);
  await sleep(300);
  assert.equal(again.calls.length, 1);
});

test('a closed backend fails with model_unavailable', async (t) => {
  const { backend } = await connect(t, (await serve(t)).target);
  backend.close();
  await assert.rejects(predict(backend), failsWith('model_unavailable'));
});

test('messages above 64 MiB pass in both directions', async (t) => {
  const elements = 17 * 2 ** 20;
  const large = {
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: [{ size: 1 }, { size: elements }] },
    tensor_content: Buffer.alloc(elements * 4),
  };
  const server = await serve(t, () => ({ dense_7: large }));
  const answer = { ...SMALL.answer, wantedElements: elements, elements };
  const target: PredictTarget = { ...SMALL, input: { ...SMALL.input, shape: [elements] }, answer };
  const { backend } = await connect(t, server.target, { maxOutputBytes: 2 ** 28 });
  const { outputs } = await predict(backend, { target, timeoutMs: 20_000 });
  assert.equal(server.calls[0]?.inputs.input_8?.tensor_content.length, elements * 4);
  assert.deepEqual(outputs.get('dense_7')?.shape, [1, elements]);
});

test('a batch above the message limit is refused before memory is taken for it', async (t) => {
  const { backend } = open(t, 'localhost:1');
  assert.throws(
    () => backend.prepare({ ...IMAGE, input: { ...IMAGE.input, shape: [4096, 4096, 3] } }, 64),
    (error) => failsWith('body_too_large')(error) && error instanceof Error && error.message.includes('at most 1 in'),
  );
});

test('E14: a response above the limit is refused by its announced length, as model_failed', async (t) => {
  const server = createHttp2Server().on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(2 ** 30, 1);
    stream.on('error', () => undefined).write(head);
    stream.write(Buffer.alloc(2 ** 16));
  });
  t.after(() => server.close());
  const { backend } = await connect(t, await listen(server));
  await assert.rejects(predict(backend), failsWith('model_failed'));
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 20; round += 1) await assert.rejects(predict(backend), failsWith('model_failed'));
  const grownMb = (process.memoryUsage().rss - before) / 1e6;
  t.diagnostic(`came: model_failed, ${grownMb.toFixed()} MB more after twenty answers of 1 GiB`);
  // The server runs in this process too.
  assert.ok(grownMb < 50, `${grownMb} MB`);
});

test('a server is called over its UNIX socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tensorgate-test-'));
  const target = (await serve(t)).target;
  const proxy = createServer((near) => {
    const far = openSocket(Number(target.split(':')[1]), '127.0.0.1');
    near.pipe(far).pipe(near);
  });
  await once(proxy.listen(join(folder, 'model.sock')), 'listening');
  const { backend } = await connect(t, `unix:${join(folder, 'model.sock')}`);
  t.after(async () => {
    proxy.close();
    await rm(folder, { recursive: true });
  });
  assert.equal((await predict(backend)).version, 1);
});
