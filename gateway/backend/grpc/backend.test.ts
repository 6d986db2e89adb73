import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, connect as openSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  ANSWER,
  connect as connectTo,
  failsWith,
  forward,
  IMAGE,
  listen,
  open as openTo,
  predict,
  SMALL,
  serve as serveAs,
  timed,
  untilAnswered,
} from '../../../tests/backend.ts';
import { floatTensor, type OnPredict } from '../../../tests/model-server.ts';
import { until } from '../../../tests/until.ts';
import type { PredictTarget } from '../../domain/backend.ts';
import { BACKEND_PROTOCOLS } from '../../domain/own-limits.ts';
import { GatewayError, type Kind } from '../../errors.ts';
import { ByteBudget } from '../../machine/byte-budget.ts';

const SECRET = 'tensor at /srv/models of 10.1.2.3';

/** The RPC that runs a model. */
const METHODS = { 'tf-serving': 'Predict', 'open-inference': 'ModelInfer' } as const;

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

function causeHas(error: unknown, text: string): boolean {
  return error instanceof GatewayError && error.cause instanceof Error && error.cause.message.includes(text);
}

/** Every test holds for servers of each protocol. */
for (const protocol of BACKEND_PROTOCOLS) {
  const serve = (t: TestContext, onPredict?: OnPredict, port?: number) => serveAs(t, onPredict, port, protocol);
  const connect = (t: TestContext, targets: string, options = {}) => connectTo(t, targets, { protocol, ...options });
  const open = (t: TestContext, targets: string) => openTo(t, targets, { protocol });
  const ok = `${METHODS[protocol]} OK`;

  test(`E4: the server is sent the time left (${protocol})`, async (t) => {
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

  test(`E4: a Predict that hangs is cancelled at the deadline, on the server too (${protocol})`, async (t) => {
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

  test(`an aborted signal cancels the call on the server, and its reason decides the error (${protocol})`, async (t) => {
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

  test(`E5: each status has its kind, the server text stays in the cause, and only UNAVAILABLE and RESOURCE_EXHAUSTED are retried (${protocol})`, async (t) => {
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
      assert.equal(statuses.at(-1), `${METHODS[protocol]} ${name}`);
    }
    assert.equal(statuses.length, KINDS.length, 'a retry does not count as an RPC');
  });

  test(`a Predict with images is retried too, and the second answer is used (${protocol})`, async (t) => {
    let attempts = 0;
    const server = await serve(t, () => {
      attempts += 1;
      if (attempts === 1) throw { code: status.UNAVAILABLE, details: 'not now' };
      return ANSWER;
    });
    const { backend, statuses } = await connect(t, server.target);
    await predict(backend, { target: IMAGE, count: 4 });
    assert.equal(attempts, 2);
    assert.deepEqual(statuses, [ok]);
  });

  test(`two servers share the calls (${protocol})`, async (t) => {
    const servers = [await serve(t), await serve(t)];
    const { backend } = await connect(t, servers.map(({ target }) => target).join(', '));
    await untilAnswered(backend);
    await sleep(50);
    for (let index = 0; index < 100; index += 1) await predict(backend);
    for (const { calls } of servers) assert.ok(calls.length >= 40, `${calls.length} of 101`);
  });

  test(`E2: one of two servers is killed under load, and no call fails (${protocol})`, async (t) => {
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
    assert.deepEqual(new Set(statuses), new Set([ok]));
  });

  test(`E1: without a server at startup calls fail within 150 ms, and a server that starts later is found (${protocol})`, async (t) => {
    const { target, close } = await serve(t);
    close();
    const { backend, statuses } = open(t, target);
    for (let round = 0; round < 3; round += 1) {
      const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')));
      assert.ok(tookMs <= 150, `${tookMs} ms`);
      await sleep(100);
    }
    assert.deepEqual(statuses, Array(3).fill(`${METHODS[protocol]} UNAVAILABLE`));
    await serve(t, undefined, Number(target.split(':')[1]));
    assert.ok((await untilAnswered(backend)) < 2000);
  });

  test(`E1: a server that accepts the connection and sends nothing fails calls within 400 ms (${protocol})`, async (t) => {
    const silent = createServer((socket) => t.after(() => socket.destroy()));
    t.after(() => silent.close());
    const { backend } = open(t, await listen(silent));
    const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('model_unavailable')));
    assert.ok(tookMs <= 400, `${tookMs} ms`);
  });

  test(`E3: a server that was down is used again within 2 s (${protocol})`, async (t) => {
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

  test(`E3: calls that failed in an outage are not sent when the server is back (${protocol})`, async (t) => {
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

  test(`a closed backend fails with model_unavailable (${protocol})`, async (t) => {
    const { backend } = await connect(t, (await serve(t)).target);
    backend.close();
    await assert.rejects(predict(backend), failsWith('model_unavailable'));
  });

  test(`messages above 64 MiB pass in both directions (${protocol})`, async (t) => {
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

  test(`a batch above the message limit is refused before memory is taken for it (${protocol})`, async (t) => {
    const { backend } = open(t, 'localhost:1');
    assert.throws(
      () => backend.prepare({ ...IMAGE, input: { ...IMAGE.input, shape: [4096, 4096, 3] } }, 64),
      (error) => failsWith('body_too_large')(error) && error instanceof Error && error.message.includes('at most 1 in'),
    );
  });

  test(`E14: a response above the limit is refused by its announced length, as model_failed (${protocol})`, async (t) => {
    const server = createHttp2Server().on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(2 ** 30, 1);
      stream.on('error', () => undefined).write(head);
      stream.write(Buffer.alloc(2 ** 16));
    });
    t.after(() => server.close());
    const { backend } = await connect(t, await listen(server));
    const { signal } = new AbortController();
    for (const lookUp of [backend.status('m', signal), backend.metadata({ model: 'm' }, signal)]) {
      await assert.rejects(lookUp, { kind: 'model_failed', message: /larger than 1 MiB; load fewer versions/ });
    }
    await assert.rejects(predict(backend), failsWith('model_failed'));
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round += 1) await assert.rejects(predict(backend), failsWith('model_failed'));
    const grownMb = (process.memoryUsage().rss - before) / 1e6;
    t.diagnostic(`came: model_failed, ${grownMb.toFixed()} MB more after twenty answers of 1 GiB`);
    // The server runs in this process too.
    assert.ok(grownMb < 50, `${grownMb} MB`);
  });

  test(`answers are counted by their announced length until their requests end; one too many is refused (${protocol})`, async (t) => {
    const elements = 10_000;
    const outputs = { dense_7: floatTensor([1, elements], Array(elements).fill(1)) };
    const server = await serve(t, () => outputs);
    const target = { ...SMALL, answer: { outputs: ['dense_7'], wantedElements: elements, elements } };
    // Each takes 40 kB as it comes, and as much as it is read.
    const answers = new ByteBudget(200_000);
    const { backend, statuses } = await connect(t, server.target, { answers });
    const ends: (() => void)[] = [];
    const ask = () => predict(backend, { target, onEnd: (end) => ends.push(end) });
    await Promise.all([ask(), ask()]);
    await assert.rejects(ask(), (error) => {
      const { kind, status, retryAfterS } = error as GatewayError;
      assert.deepEqual({ kind, status, retryAfterS }, { kind: 'overloaded', status: 503, retryAfterS: 1 });
      return true;
    });
    assert.deepEqual(statuses, [ok, ok, ok.replace('OK', 'RESOURCE_EXHAUSTED')]);
    assert.equal(server.calls.length, 3, 'the model has done its work: the call is not repeated');
    ends.shift()?.();
    await ask();
    assert.equal(ends.length, 2);
    for (const end of ends) end();
    assert.ok(answers.open().take(200_000), 'nothing is counted any more');
  });

  test(`a server is called over its UNIX socket (${protocol})`, async (t) => {
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
}
