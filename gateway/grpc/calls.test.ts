/** Many calls at once: how many wait, and in which order they are handled. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { boundCalls } from './calls.ts';

class Call extends EventEmitter {
  readonly session: Http2Session;
  readonly name: string;
  closed = false;
  code: number | undefined;

  constructor(session: object, name: string) {
    super();
    this.session = session as Http2Session;
    this.name = name;
  }

  close(code: number): void {
    this.closed = true;
    this.code = code;
    setImmediate(() => this.emit('close'));
  }
}

/** Takes calls, at most `max` of which wait. `answer` ends one of them. */
function start(max: number) {
  const handled: string[] = [];
  const answers = new Map<string, () => void>();
  const take = boundCalls(async ({ stream }) => {
    const { name } = stream as unknown as Call;
    handled.push(name);
    await new Promise<void>((resolve) => answers.set(name, resolve));
  }, max);
  const arrive = (call: Call) => take({ stream: call as unknown as ServerHttp2Stream, headers: {} });
  const open = (session: object, ...names: string[]) => {
    const calls = names.map((name) => new Call(session, name));
    for (const call of calls) arrive(call);
    return calls;
  };
  const answer = async (call: Call) => {
    answers.get(call.name)?.();
    await nextTurn();
  };
  return { handled, open, answer };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

test('the first call of a connection is handled at once, the others one in each turn, of all connections', async () => {
  const { handled, open } = start(100);
  open({}, 'a1', 'a2', 'a3', 'a4');
  open({}, 'b1', 'b2');
  assert.deepEqual(handled, ['a1', 'b1']);
  await turns(10);
  assert.deepEqual(handled, ['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
});

test('a call that was closed before its turn is not handled, and takes no turn', async () => {
  const { handled, open } = start(100);
  const [, two, three] = open({}, 'a1', 'a2', 'a3', 'a4');
  for (const call of [two, three]) call?.close(constants.NGHTTP2_CANCEL);
  await turns(2);
  assert.deepEqual(handled, ['a1', 'a4']);
});

test('above the bound the oldest call of the connection with most of them is refused', async () => {
  const { handled, open } = start(4);
  const many = open({}, 'a1', 'a2', 'a3', 'a4');
  const [other, another] = [open({}, 'b1'), open({}, 'c1')].flat();
  assert.deepEqual(
    [...many, other, another].map((call) => call?.code),
    [constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_REFUSED_STREAM, ...Array(4).fill(undefined)],
  );
  await turns(10);
  assert.deepEqual(handled, ['a1', 'b1', 'c1', 'a3', 'a4']);
});

test('a call whose message has arrived does not wait for its client, until it is answered', async () => {
  const { open, answer } = start(2);
  const session = {};
  const [one, two] = open(session, 'a1', 'a2');
  await turns(3);
  for (const call of [one, two]) call?.emit('end');
  const [three, four] = open(session, 'a3', 'a4');
  assert.deepEqual(
    [one, two, three, four].map((call) => call?.code),
    Array(4).fill(undefined),
  );
  if (one) await answer(one);
  open({}, 'b1');
  assert.equal(three?.code, constants.NGHTTP2_REFUSED_STREAM);
  open({}, 'c1');
  assert.equal(four?.code, constants.NGHTTP2_REFUSED_STREAM);
  open({}, 'd1');
  assert.equal(one?.code, constants.NGHTTP2_REFUSED_STREAM, 'its answer is not taken');
  assert.equal(two?.code, undefined, 'it is not answered');
});
