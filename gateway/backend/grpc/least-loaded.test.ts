/** Balancing over slow, full and failing model servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { ANSWER, connect, failsWith, predict, SMALL, serve, timed } from '../../../tests/backend.ts';
import { type ModelServer, type OnPredict, startModelServer, XCEPTION } from '../../../tests/model-server.ts';
import type { Backend } from '../../domain/backend.ts';

const QUICK_MS = 30;

function after(ms: number): OnPredict {
  return async () => {
    await sleep(ms);
    return ANSWER;
  };
}

function full(): never {
  throw { code: status.RESOURCE_EXHAUSTED, details: 'Server Threadpool Exhausted' };
}

async function serveAll(t: TestContext, ...answers: readonly OnPredict[]): Promise<readonly ModelServer[]> {
  return Promise.all(answers.map((answer) => serve(t, answer)));
}

const targetsOf = (servers: readonly ModelServer[]) => servers.map(({ target }) => target).join();
const sharesOf = (servers: readonly ModelServer[]) => servers.map(({ calls }) => calls.length);

type Answered = { readonly tookMs: number; readonly version: number | undefined };

/** Makes `calls` predictions, `atOnce` of them concurrently. */
async function load(backend: Backend, { calls, atOnce }: { calls: number; atOnce: number }): Promise<Answered[]> {
  const answers: Answered[] = [];
  let left = calls;
  const callers = Array.from({ length: atOnce }, async () => {
    for (; left > 0; left -= 1) {
      const startMs = performance.now();
      const { version } = await predict(backend);
      answers.push({ version, tookMs: performance.now() - startMs });
    }
  });
  await Promise.all(callers);
  return answers;
}

function p99(answers: readonly Answered[]): number {
  const times = answers.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

test('E13: a ten times slower server gets few calls, and p99 stays within twice that of the others', async (t) => {
  const quick = await serveAll(t, after(QUICK_MS), after(QUICK_MS));
  const slow = await startModelServer({ ...XCEPTION, version: 2, onPredict: after(10 * QUICK_MS) });
  t.after(() => slow.close());
  const { backend } = await connect(t, targetsOf([...quick, slow]));
  await load(backend, { calls: 150, atOnce: 8 });
  const before = slow.calls.length;
  const answers = await load(backend, { calls: 800, atOnce: 8 });
  const asked = slow.calls.length - before;
  const [allMs, quickMs] = [p99(answers), p99(answers.filter(({ version }) => version === 1))];
  t.diagnostic(
    `came: ${asked} of 800 calls to the slow server, ${before} while it was new; p99 ${allMs.toFixed()} ms, of the others ${quickMs.toFixed()} ms`,
  );
  // Round robin would send a third. The margin is for a busy test machine, where quick servers are slow too.
  assert.ok(asked <= 40, `${asked} of 800 calls went to the slow server`);
  assert.ok(allMs <= 2 * quickMs, `p99 ${allMs} ms, of the quick servers ${quickMs} ms`);
});

test('E11: equal servers get equal shares, with one call at a time and with many', async (t) => {
  for (const atOnce of [1, 8]) {
    const servers = await serveAll(t, after(2), after(2), after(2), after(2), after(2));
    const { backend } = await connect(t, targetsOf(servers));
    await load(backend, { calls: 500, atOnce });
    const shares = sharesOf(servers);
    t.diagnostic(`came: ${shares} with ${atOnce} at once`);
    assert.ok(Math.min(...shares) >= 80, `${shares} of 500`);
  }
});

test('E20: a call that a full server refuses goes to another, and full servers get few calls', async (t) => {
  const servers = await serveAll(t, full, full, () => ANSWER);
  const { backend, statuses, extra } = await connect(t, targetsOf(servers));
  for (let round = 0; round < 50; round += 1) await predict(backend);
  assert.deepEqual(new Set(statuses), new Set(['Predict OK']));
  assert.equal(statuses.length, 50);
  const refused = servers[0]?.calls.length ?? 0;
  assert.ok(refused >= 1 && refused <= 10, `${refused} calls to a full server`);
  assert.equal(extra.length, sharesOf(servers).reduce((sum, calls) => sum + calls) - 50);
});

test('A10: a call goes only to the servers that it names, and next to another one after NOT_FOUND', async (t) => {
  const unloaded = () => Promise.reject({ code: status.NOT_FOUND, details: '' });
  const servers = await serveAll(
    t,
    () => ANSWER,
    () => ANSWER,
    unloaded,
  );
  const [first = '', second = '', third = ''] = servers.map(({ target }) => target);
  const { backend } = await connect(t, targetsOf(servers));
  assert.deepEqual(new Set(backend.servers()), new Set([first, second, third]));
  const ask = (...only: string[]) => predict(backend, { target: { ...SMALL, only: new Set(only) } });
  for (let round = 0; round < 20; round += 1) await ask(second);
  assert.deepEqual(sharesOf(servers), [0, 20, 0]);
  await assert.rejects(ask(third), failsWith('model_not_found'));
  for (let round = 0; round < 5; round += 1) await ask(first, third);
  assert.deepEqual(sharesOf(servers), [5, 20, 1]);
  await assert.rejects(ask('10.0.0.1:8500'), failsWith('model_unavailable'));
  await backend.status('m', new AbortController().signal, first);
});

test('E20: a refused call is retried until a server has room, and is 429 only if none has', async (t) => {
  let room = false;
  const servers = await serveAll(t, () => (room ? ANSWER : full()));
  const { backend } = await connect(t, targetsOf(servers));
  const waiting = predict(backend);
  await sleep(30);
  room = true;
  await waiting;
  room = false;
  const tookMs = await timed(() => assert.rejects(predict(backend), failsWith('overloaded')));
  assert.ok(tookMs < 1000, `${tookMs} ms`);
  const shortMs = await timed(() => assert.rejects(predict(backend, { timeoutMs: 60 }), failsWith('overloaded')));
  assert.ok(shortMs < 300, `${shortMs} ms`);
});

test('E20: in a lasting shortage, retries stay within a tenth of the calls', async (t) => {
  const servers = await serveAll(t, full, full);
  const { backend, statuses, extra } = await connect(t, targetsOf(servers));
  const calls = Array.from({ length: 600 }, () => assert.rejects(predict(backend), failsWith('overloaded')));
  await Promise.all(calls);
  assert.deepEqual([statuses.length, new Set(statuses)], [600, new Set(['Predict RESOURCE_EXHAUSTED'])]);
  assert.ok(extra.length <= 100 + 60 && extra.length >= 100, `${extra.length} further attempts`);
});

test('E13: a server that fails every call is ejected however quick it is; one that gets invalid requests is not', async (t) => {
  const failing = (code: status): OnPredict => {
    return () => Promise.reject({ code, details: '' });
  };
  const servers = await serveAll(t, after(5), failing(status.INTERNAL), failing(status.INVALID_ARGUMENT));
  const { backend, statuses } = await connect(t, targetsOf(servers));
  const ask = () => predict(backend).catch(() => sleep(10));
  // The circuit breaker checks every 5 s.
  const endMs = performance.now() + 5500;
  while (performance.now() < endMs) await ask();
  const before = sharesOf(servers);
  for (let round = 0; round < 60; round += 1) await ask();
  const more = sharesOf(servers).map((calls, index) => calls - (before[index] ?? 0));
  t.diagnostic(`came: ${before} calls in 5.5 s, then ${more}`);
  assert.deepEqual(more, [30, 0, 30]);
  assert.ok(statuses.includes('Predict INTERNAL'));
});

for (const [protocol, method] of [
  ['tf-serving', 'Predict'],
  ['open-inference', 'ModelInfer'],
] as const) {
  test(`a hedged call goes to a second server after the delay, and the slower attempt is cancelled (${protocol})`, async (t) => {
    const stopped = Promise.withResolvers<void>();
    const arrivals: number[] = [];
    const answer =
      (index: number): OnPredict =>
      async ({ raw }) => {
        arrivals.push(index);
        if (arrivals.length > 1) return ANSWER;
        await once(raw, 'cancelled');
        stopped.resolve();
        return ANSWER;
      };
    const servers = [await serve(t, answer(0), 0, protocol), await serve(t, answer(1), 0, protocol)];
    const { backend, statuses, extra } = await connect(t, targetsOf(servers), { hedgeAfterMs: 50, protocol });
    const tookMs = await timed(() => predict(backend));
    assert.ok(tookMs >= 45 && tookMs < 1000, `${tookMs} ms`);
    assert.deepEqual(arrivals.toSorted(), [0, 1]);
    await stopped.promise;
    assert.deepEqual([statuses, extra], [[`${method} OK`], ['hedge']]);
  });
}

test('B13: a hung server loses its share of the calls, though hedges cancel them early', async (t) => {
  const servers = await serveAll(t, after(QUICK_MS), () => new Promise(() => {}));
  const { backend } = await connect(t, targetsOf(servers), { hedgeAfterMs: 100 });
  await load(backend, { calls: 40, atOnce: 1 });
  const before = servers[1]?.calls.length ?? 0;
  await load(backend, { calls: 40, atOnce: 1 });
  const more = (servers[1]?.calls.length ?? 0) - before;
  t.diagnostic(`came: ${before} of the first 40 calls, ${more} of the next 40`);
  assert.ok(before >= 8 && more <= 2, `${more} of 40 calls went to the hung server`);
});

test('hedging: an early answer or failure sends no hedge, look-ups are not hedged, and the deadline holds', async (t) => {
  const never: OnPredict = () => new Promise(() => {});
  const answers: OnPredict[] = [() => ANSWER, () => Promise.reject({ code: status.INTERNAL, details: '' })];
  let answer: OnPredict = never;
  const servers = await serveAll(
    t,
    (call) => answer(call),
    (call) => answer(call),
  );
  // Long enough for an answer to be early on a busy machine.
  const { backend, extra } = await connect(t, targetsOf(servers), { hedgeAfterMs: 1000 });
  answer = answers[0] ?? never;
  await predict(backend);
  answer = answers[1] ?? never;
  await assert.rejects(predict(backend), failsWith('model_failed'));
  await backend.status('m', new AbortController().signal);
  await sleep(1100);
  assert.deepEqual(extra, []);
  answer = never;
  await assert.rejects(predict(backend, { timeoutMs: 1300 }), failsWith('model_timeout'));
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException('', 'AbortError')), 1300);
  await assert.rejects(predict(backend, { signal: controller.signal }), failsWith('client_gone'));
  assert.deepEqual(extra, ['hedge', 'hedge']);
});
