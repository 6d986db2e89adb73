import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError, type Kind } from '../errors.ts';
import type { OutputTensor, PredictCall, Prediction, PredictTarget, RequestContext } from '../pipeline/request.ts';
import { testContext } from '../pipeline/test-context.ts';
import { createJoining } from './joining.ts';

const TARGET: PredictTarget = {
  servable: { model: 'clothing-model' },
  signature: 'serving_default',
  input: { name: 'input_8', dtype: 'DT_FLOAT', shape: [2] },
};
const WINDOW_MS = 20;
/** As if many others were on their way. */
const OPTIONS = { windowMs: WINDOW_MS, inFlight: () => 64 };

type Sent = { readonly rows: readonly number[]; readonly target: PredictTarget; readonly context: RequestContext };
type Answer = (rows: readonly number[], context: RequestContext) => Prediction | Promise<Prediction>;

/** Scores of every row: its two numbers, and ten times those. */
function scored(rows: readonly number[]): Prediction {
  const values = [];
  for (let at = 0; at < rows.length; at += 2) {
    const [one = 0, other = 0] = rows.slice(at, at + 2);
    values.push(one, other, one * 10, other * 10);
  }
  return { version: 3, outputs: new Map([['scores', { dtype: 'DT_FLOAT', shape: [rows.length / 2, 4], values }]]) };
}

/** A backend that keeps what is sent, and how often memory was given back. */
function backend(answer: Answer = scored) {
  const sent: Sent[] = [];
  let released = 0;
  const prepare = (target: PredictTarget, capacity: number): PredictCall => {
    const rowLength = target.input.shape.reduce((product, size) => product * size, 1);
    const tensor = new Float32Array(capacity * rowLength);
    return {
      tensor,
      async send(count, context) {
        const rows = Array.from(tensor.subarray(0, count * rowLength));
        sent.push({ rows, target, context });
        return answer(rows, context);
      },
      release: () => {
        released += 1;
      },
    };
  };
  return { prepare, sent, released: () => released };
}

type Joining = ReturnType<typeof createJoining>;

/** A request of one image, whose pixels are the number twice. */
async function ask(prepare: Joining, pixel: number, context = testContext(), target = TARGET): Promise<number[]> {
  const call = prepare(target, 1);
  call.tensor.fill(pixel);
  const { outputs, version } = await call.send(1, context);
  call.release();
  assert.equal(version, 3);
  const scores = outputs.get('scores') as OutputTensor;
  assert.deepEqual(scores.shape, [1, 4]);
  return Array.from(scores.values);
}

const answerOf = (pixel: number) => [pixel, pixel, pixel * 10, pixel * 10];
const isKind = (kind: Kind) => (error: unknown) => error instanceof GatewayError && error.kind === kind;

test('F17: eight requests share a Predict, the ninth opens another; each has its own scores', async () => {
  const { prepare, sent, released } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  const pixels = Array.from({ length: 9 }, (_, index) => index + 1);
  assert.deepEqual(await Promise.all(pixels.map((pixel) => ask(joining, pixel))), pixels.map(answerOf));
  assert.deepEqual(
    sent.map(({ rows }) => rows.length / 2),
    [8, 1],
  );
  assert.equal(released(), 2, 'the memory of each call is given back once');
});

test('F17: a lone request is sent when its window ends', async () => {
  const { prepare, sent } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  const answer = ask(joining, 5);
  await Promise.resolve();
  assert.equal(sent.length, 0);
  assert.deepEqual(await answer, answerOf(5));
});

test('nobody waits for others when there are none', async () => {
  const { prepare, sent } = backend();
  let inFlight = 1;
  const joining = createJoining({ prepare }, { windowMs: 60_000, inFlight: () => inFlight });
  assert.deepEqual(await ask(joining, 1), answerOf(1));
  inFlight = 2;
  assert.deepEqual(await Promise.all([ask(joining, 2), ask(joining, 3)]), [answerOf(2), answerOf(3)]);
  assert.deepEqual(
    sent.map(({ rows }) => rows.length / 2),
    [1, 2],
  );
});

test('the row is taken when the pixels are there, so a request that has none yet holds nobody up', async () => {
  const { prepare, sent } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  const slow = joining(TARGET, 1);
  await Promise.all([ask(joining, 1), ask(joining, 2)]);
  assert.deepEqual(sent[0]?.rows, [1, 1, 2, 2]);
  slow.tensor.fill(3);
  assert.equal((await slow.send(1, testContext())).version, 3);
  assert.deepEqual(sent[1]?.rows, [3, 3]);
});

test('a row that nobody asks for, because its request failed, goes along and harms nobody', async () => {
  const { prepare } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  joining(TARGET, 1).tensor.fill(Number.NaN);
  assert.deepEqual(await Promise.all([ask(joining, 1), ask(joining, 2)]), [answerOf(1), answerOf(2)]);
});

test('another model, version, label, signature or input is never joined; a request of several images neither', async () => {
  const { prepare, sent } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  const { servable, input } = TARGET;
  const others: PredictTarget[] = [
    { ...TARGET, servable: { model: 'other' } },
    { ...TARGET, servable: { ...servable, version: 1 } },
    { ...TARGET, servable: { ...servable, version: 2 } },
    { ...TARGET, servable: { ...servable, label: '2' } },
    { ...TARGET, signature: 'serving_uint8' },
    { ...TARGET, input: { ...input, name: 'input_9' } },
  ];
  await Promise.all([TARGET, ...others].map((target, index) => ask(joining, index, testContext(), target)));
  assert.deepEqual(
    sent.map(({ target }) => target),
    [TARGET, ...others],
  );
  const batch = joining(TARGET, 2);
  batch.tensor.set([1, 2, 3, 4]);
  await Promise.all([batch.send(2, testContext()), ask(joining, 5)]);
  assert.deepEqual(
    sent.slice(-2).map(({ rows }) => rows.length),
    [4, 2],
  );
});

test('a joint call has room for as many rows as its memory allows; where that is one, nothing is joined', () => {
  const capacities: number[] = [];
  const prepare = (_target: PredictTarget, capacity: number): PredictCall => {
    capacities.push(capacity);
    return { tensor: new Float32Array(capacity), send: () => Promise.reject(new Error('not sent')), release() {} };
  };
  const joining = createJoining({ prepare }, OPTIONS);
  for (const side of [299, 1024, 2048]) {
    joining({ ...TARGET, input: { ...TARGET.input, shape: [side, side, 1] } }, 1).tensor.fill(0);
  }
  assert.deepEqual(capacities, [8, 4, 1]);
});

test('F17: mixed deadlines: the call has the latest, and who has an earlier one is told at that', async () => {
  const gate = Promise.withResolvers<Prediction>();
  const { prepare, sent } = backend((rows) => gate.promise.then(() => scored(rows)));
  const joining = createJoining({ prepare }, OPTIONS);
  const soon = testContext({ signal: AbortSignal.timeout(60), deadlineMs: performance.now() + 60 });
  const late = testContext({ deadlineMs: performance.now() + 5000 });
  const answer = ask(joining, 2, late);
  await assert.rejects(ask(joining, 1, soon), isKind('model_timeout'));
  assert.equal(sent[0]?.context.deadlineMs, late.deadlineMs);
  assert.equal(sent[0].context.signal.aborted, false);
  gate.resolve(scored([]));
  assert.deepEqual(await answer, answerOf(2));
});

test('who hangs up leaves the others their call; the last one to leave ends it', async () => {
  const { prepare, sent, released } = backend((_rows, { signal }) => {
    const never = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => never.reject(new GatewayError('client_gone', 'gone')));
    return never.promise;
  });
  const joining = createJoining({ prepare }, OPTIONS);
  const clients = [new AbortController(), new AbortController(), new AbortController()];
  const gone = clients.map(({ signal }, index) =>
    assert.rejects(ask(joining, index, testContext({ signal })), isKind('client_gone')),
  );
  const [early, one, other] = clients;
  early?.abort(new DOMException('', 'AbortError'));
  while (sent.length === 0) await sleep(5);
  const { signal } = (sent[0] as Sent).context;
  one?.abort(new DOMException('', 'AbortError'));
  assert.equal(signal.aborted, false);
  other?.abort(new DOMException('', 'AbortError'));
  assert.equal(signal.aborted, true);
  await Promise.all(gone);
  assert.equal(released(), 0, 'memory that may still be on its way is left to the collector');
});

test('a call that everybody left before the end of its window is not made', async () => {
  const { prepare, sent } = backend();
  const joining = createJoining({ prepare }, OPTIONS);
  const signal = AbortSignal.abort(new DOMException('', 'AbortError'));
  await assert.rejects(ask(joining, 1, testContext({ signal })), isKind('client_gone'));
  await sleep(2 * WINDOW_MS);
  assert.equal(sent.length, 0);
  assert.deepEqual(await ask(joining, 2), answerOf(2));
});

for (const kind of ['model_failed', 'internal'] as const) {
  test(`${kind} may be a neighbour's doing: each is asked again by itself, once`, async () => {
    const { prepare, sent } = backend((rows) => {
      if (rows.includes(13)) throw new GatewayError(kind, 'cannot');
      return scored(rows);
    });
    const joining = createJoining({ prepare }, OPTIONS);
    const bad = assert.rejects(ask(joining, 13), isKind(kind));
    assert.deepEqual(await Promise.all([ask(joining, 1), ask(joining, 2)]), [answerOf(1), answerOf(2)]);
    await bad;
    assert.deepEqual(
      sent.map(({ rows }) => rows.length / 2),
      [3, 1, 1, 1],
    );
  });
}

test("an answer with another number of rows is nobody's: each is asked again by itself", async () => {
  for (const wrong of [2, 4]) {
    const { prepare, sent } = backend((rows) => scored(rows.length === 2 ? rows : Array(2 * wrong).fill(7)));
    const joining = createJoining({ prepare }, OPTIONS);
    assert.deepEqual(await Promise.all([1, 2, 3].map((pixel) => ask(joining, pixel))), [1, 2, 3].map(answerOf));
    assert.equal(sent.length, 4);
  }
});

test('what no neighbour can cause is thrown to each; a full model server is asked again jointly', async () => {
  let isFull = true;
  const { prepare, sent } = backend((rows) => {
    if (isFull) throw new GatewayError('overloaded', 'full');
    return scored(rows);
  });
  const joining = createJoining({ prepare }, OPTIONS);
  const calls = [1, 2].map((pixel) => {
    const call = joining(TARGET, 1);
    call.tensor.fill(pixel);
    return call;
  });
  for (const refused of calls.map((call) => call.send(1, testContext()))) {
    await assert.rejects(refused, isKind('overloaded'));
  }
  isFull = false;
  const again = await Promise.all(calls.map((call) => call.send(1, testContext())));
  assert.deepEqual(
    again.map(({ outputs }) => outputs.get('scores')?.values),
    [answerOf(1), answerOf(2)],
  );
  assert.deepEqual(
    sent.map(({ rows }) => rows),
    [
      [1, 1, 2, 2],
      [1, 1, 2, 2],
    ],
  );
});
