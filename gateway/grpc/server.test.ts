/** The gRPC transport over real sockets: grpc-js calls it, or HTTP/2 frames of our own where grpc-js sends no such thing. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Client, compressionAlgorithms, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { until } from '../../tests/until.ts';
import type { RequestContext } from '../domain/request.ts';
import { bytesOf, HEAD_ROOM } from '../domain/roomy-message.ts';
import { boundBodyMemory } from '../door/body-memory.ts';
import { createCallers } from '../door/callers.ts';
import { createPass } from '../door/door.ts';
import { createLifecycle } from '../door/lifecycle.ts';
import { GatewayError } from '../errors.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import { createLog } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createGrpcDoor } from './door.ts';
import { healthMethods } from './health.ts';
import type { Method, Methods } from './method.ts';
import { createGrpcServer } from './server.ts';

const MAX_BYTES = 2_000_000;
const ECHO = '/test.Test/Echo';

const echo: Method = async (call) => [bytesOf(await call.message())];

type Started = Awaited<ReturnType<typeof start>>;

async function start(t: TestContext, methods: Methods = {}, { maxConnections = 10, heldBytes = 8e6 } = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const metrics = createMetrics({ inFlight: 0, queued: 0, limit: 1 }, { share: 0 });
  const callers = createCallers({ keys: () => undefined, rate: undefined, limits: async () => [] });
  const hold = boundBodyMemory(new ByteBudget(heldBytes));
  const onCall = createGrpcDoor({
    pass: createPass({ callers, timeoutMs: 5000, log, metrics }),
    hold,
    maxMessageBytes: MAX_BYTES,
    idleMs: 5000,
    holdAnswer: () => undefined,
    trusts: () => false,
    methods: { [ECHO]: echo, ...methods },
    openMethods: healthMethods(['test.Test'], () => true),
  });
  const { listener, drainable } = createGrpcServer(onCall, { maxConnections });
  const lifecycle = createLifecycle();
  lifecycle.add(drainable);
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  t.after(() => lifecycle.close());
  const { port } = listener.address() as AddressInfo;
  return { target: `127.0.0.1:${port}`, lines, metrics, lifecycle, hold };
}

function clientFor(t: TestContext, { target }: Started, more: object = {}): Client {
  const options = {
    ...more,
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  };
  const client = new Client(target, credentials.createInsecure(), options);
  t.after(() => client.close());
  return client;
}

const bytes = (message: Buffer) => message;

/** Resolves to the answer, or to the error. `cancel`: aborts the call. */
function call(
  client: Client,
  path: string,
  message: Uint8Array,
  {
    metadata = new Metadata(),
    timeoutMs,
    cancel,
  }: { metadata?: Metadata; timeoutMs?: number; cancel?: AbortSignal } = {},
): Promise<Buffer | ServiceError> {
  return new Promise((resolve) => {
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const made = client.makeUnaryRequest(path, bytes, bytes, Buffer.from(message), metadata, options, (error, answer) =>
      resolve(error ?? (answer as Buffer)),
    );
    cancel?.addEventListener('abort', () => made.cancel());
  });
}

/** Sends a request by HTTP/2, in frames as they are given. Resolves to the headers and trailers of the answer. */
async function raw(session: ClientHttp2Session, frames: readonly Uint8Array[], headers: Record<string, string> = {}) {
  const stream = session.request({
    ':method': 'POST',
    ':path': ECHO,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined).resume();
  const answer: Record<string, unknown> = {};
  stream.on('response', (got) => Object.assign(answer, got)).on('trailers', (got) => Object.assign(answer, got));
  for (const frame of frames) if (!stream.destroyed) stream.write(frame);
  stream.end();
  if (!stream.closed) await once(stream, 'close');
  return answer;
}

function sessionFor(t: TestContext, { target }: Started): ClientHttp2Session {
  const session = connectHttp2(`http://${target}`).on('error', () => undefined);
  t.after(() => session.destroy());
  return session;
}

function prefix(length: number, flag = 0): Buffer {
  const five = Buffer.alloc(5);
  five[0] = flag;
  five.writeUInt32BE(length, 1);
  return five;
}

test('a message of any size arrives whole, with free memory before it', async (t) => {
  const rooms: number[] = [];
  const started = await start(t, {
    '/test.Test/Room': async (one) => {
      const message = await one.message();
      rooms.push(message.start);
      new Uint8Array(message.memory).fill(0, 0, message.start);
      return [bytesOf(message).subarray(0, 1), bytesOf(message).subarray(1)];
    },
  });
  const client = clientFor(t, started);
  for (const length of [0, 1, 100, 16_300, 70_000, MAX_BYTES]) {
    const message = Buffer.alloc(length, 7);
    assert.deepEqual(await call(client, '/test.Test/Room', message), message, `${length} bytes`);
  }
  assert.ok(rooms.every((room) => room >= HEAD_ROOM));
  assert.equal(started.lines.length, 6);
  assert.equal(started.lines[0]?.route, '/test.Test/Room');
});

test('compressed messages are read, up to their length as they are read', async (t) => {
  const started = await start(t);
  for (const algorithm of [compressionAlgorithms.gzip, compressionAlgorithms.deflate]) {
    const client = clientFor(t, started, { 'grpc.default_compression_algorithm': algorithm });
    for (const length of [0, 1, 100_000, MAX_BYTES]) {
      const message = Buffer.alloc(length, 7);
      assert.deepEqual(await call(client, ECHO, message), message, `${length} bytes`);
    }
    const bomb = (await call(client, ECHO, Buffer.alloc(MAX_BYTES + 1))) as ServiceError;
    assert.deepEqual([bomb.code, /MAX_BODY_BYTES/.test(bomb.details)], [status.RESOURCE_EXHAUSTED, true], bomb.message);
  }
  const session = sessionFor(t, started);
  const whole = gzipSync(Buffer.alloc(1000));
  const gzip = { 'grpc-encoding': 'gzip' };
  const cases = [
    [gzip, whole, '0'],
    [gzip, whole.subarray(0, -8), '3'],
    [gzip, Buffer.from('abc'), '3'],
    [{ 'grpc-encoding': 'snappy' }, whole, '12'],
    [{}, whole, '12'],
  ] as const;
  for (const [headers, message, code] of cases) {
    const answer = await raw(session, [prefix(message.length, 1), message], headers);
    assert.equal(answer['grpc-status'], code);
    assert.equal(answer['grpc-accept-encoding'], 'identity,gzip,deflate');
  }
});

test('a method may answer without its message, also while the client still sends', async (t) => {
  const started = await start(t, { '/test.Test/Early': async () => [Buffer.from('early')] });
  const client = clientFor(t, started);
  for (const length of [0, MAX_BYTES]) {
    assert.deepEqual(await call(client, '/test.Test/Early', Buffer.alloc(length)), Buffer.from('early'));
  }
});

test('a failure reaches a client that still sends', async (t) => {
  const started = await start(t, { '/test.Test/Full': () => Promise.reject(new GatewayError('quota', 'full')) });
  const client = clientFor(t, started);
  const calls = Array.from({ length: 50 }, () => call(client, '/test.Test/Full', Buffer.alloc(MAX_BYTES)));
  for (const failed of await Promise.all(calls)) assert.equal((failed as ServiceError).details, 'full');
});

test('failures are statuses of gRPC, with their text, kind and retry hint', async (t) => {
  const text = 'Schlüssel: 100 %\nof “it”';
  const started = await start(t, {
    '/test.Test/Quota': () => Promise.reject(new GatewayError('quota', text, { retryAfterS: 7 })),
    '/test.Test/Bug': () => Promise.reject(new TypeError('secret')),
  });
  const client = clientFor(t, started);
  const quota = (await call(client, '/test.Test/Quota', Buffer.alloc(1))) as ServiceError;
  assert.equal(quota.code, status.RESOURCE_EXHAUSTED);
  assert.equal(quota.details, text);
  assert.deepEqual(quota.metadata.get('tensorgate-kind'), ['quota']);
  assert.deepEqual(quota.metadata.get('retry-after'), ['7']);
  assert.match(String(quota.metadata.get('x-request-id')[0]), /^[\w-]{36}$/);
  const bug = (await call(client, '/test.Test/Bug', Buffer.alloc(1))) as ServiceError;
  assert.equal(bug.code, status.INTERNAL);
  assert.doesNotMatch(bug.details, /secret/);
  const none = (await call(client, '/test.Test/None', Buffer.alloc(1))) as ServiceError;
  assert.equal(none.code, status.UNIMPLEMENTED);
  assert.deepEqual(
    started.lines.map(({ route, kind }) => [route, kind]),
    [
      ['/test.Test/Quota', 'quota'],
      ['/test.Test/Bug', 'internal'],
      ['none', 'not_found'],
    ],
  );
});

test('messages that are too large, cut off, missing or doubled are refused', async (t) => {
  const started = await start(t);
  const session = sessionFor(t, started);
  const whole = [prefix(3), Buffer.from('abc')];
  const cases: Readonly<Record<string, [Record<string, unknown>, RegExp, Uint8Array[], Record<string, string>?]>> = {
    'too large': [{ 'grpc-status': '8' }, /MAX_BODY_BYTES/, [prefix(MAX_BYTES + 1), Buffer.alloc(100)]],
    'another flag': [{ 'grpc-status': '3' }, /flag 0 or 1/, [prefix(3, 2), Buffer.from('abc')]],
    'cut off': [{ 'grpc-status': '3' }, /cut off/, [prefix(4), Buffer.from('abc')]],
    'cut in the prefix': [{ 'grpc-status': '3' }, /cut off/, [Buffer.from([0, 0, 0])]],
    missing: [{ 'grpc-status': '3' }, /no message/, []],
    doubled: [{ 'grpc-status': '3' }, /more than one/, [...whole, ...whole]],
    'a wrong timeout': [{ 'grpc-status': '3' }, /grpc-timeout/, whole, { 'grpc-timeout': '1 hour' }],
    'no gRPC': [{ ':status': 415, 'grpc-status': '12' }, /application\/grpc/, whole, { 'content-type': 'text/plain' }],
  };
  for (const [name, [wanted, message, frames, headers]] of Object.entries(cases)) {
    const answer = await raw(session, frames, headers);
    for (const [header, value] of Object.entries(wanted)) assert.equal(answer[header], value, name);
    assert.match(decodeURIComponent(String(answer['grpc-message'])), message, name);
  }
  assert.equal((await raw(session, whole))['grpc-status'], '0');
});

test('the deadline of the client and its cancellation end the call', async (t) => {
  const contexts: RequestContext[] = [];
  const started = await start(t, {
    '/test.Test/Wait': async (one, context) => {
      contexts.push(context);
      await one.message();
      await once(context.signal, 'abort');
      throw new GatewayError('model_timeout', 'The model server did not answer.');
    },
  });
  const client = clientFor(t, started);
  const late = (await call(client, '/test.Test/Wait', Buffer.alloc(1), { timeoutMs: 300 })) as ServiceError;
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  await until(() => contexts[0]?.signal.aborted === true);
  const cancelling = new AbortController();
  const cancelled = call(client, '/test.Test/Wait', Buffer.alloc(1), { cancel: cancelling.signal });
  await until(() => contexts.length === 2);
  cancelling.abort();
  assert.equal(((await cancelled) as ServiceError).code, status.CANCELLED);
  await until(() => contexts[1]?.signal.aborted === true);
  assert.equal(contexts[1]?.signal.reason.name, 'AbortError');
  await until(() => started.lines.some(({ kind }) => kind === 'client_gone'));
});

test('all bodies share one memory, which is free again after their calls', async (t) => {
  const free = Promise.withResolvers<void>();
  let held = 0;
  const started = await start(
    t,
    {
      '/test.Test/Hold': async (one) => {
        await one.message();
        held += 1;
        await free.promise;
        return [];
      },
    },
    { heldBytes: 3e6 },
  );
  const client = clientFor(t, started);
  const first = call(client, '/test.Test/Hold', Buffer.alloc(MAX_BYTES));
  await until(() => held === 1);
  const second = (await call(client, ECHO, Buffer.alloc(MAX_BYTES))) as ServiceError;
  assert.equal(second.code, status.UNAVAILABLE);
  assert.match(second.details, /memory for request bodies is full/);
  free.resolve();
  assert.deepEqual(await first, Buffer.alloc(0));
  assert.deepEqual(await call(client, ECHO, Buffer.alloc(MAX_BYTES, 1)), Buffer.alloc(MAX_BYTES, 1));
});

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as literals without Huffman code (RFC 7541, 6.2.2). */
function literals(headers: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

test('a connection that sends a message in crumbs is closed', async (t) => {
  const { target } = await start(t);
  const socket = connectTcp(Number(target.split(':')[1]), '127.0.0.1');
  t.after(() => socket.destroy());
  const received: Buffer[] = [];
  socket.on('data', (piece) => received.push(piece)).on('error', () => undefined);
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': ECHO,
    ':authority': 'a',
    'content-type': 'application/grpc',
  };
  const crumb = frame(0, 0, 1, Buffer.alloc(1));
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), frame(1, 4, 1, literals(headers))]));
  socket.write(Buffer.concat([frame(0, 0, 1, prefix(100_000)), ...Array(5000).fill(crumb)]));
  await once(socket, 'close');
  const goaway = frame(7, 0, 0, Buffer.of(0, 0, 0, 1, 0, 0, 0, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  assert.ok(Buffer.concat(received).includes(goaway), 'no GOAWAY with ENHANCE_YOUR_CALM');
});

test('a new connection takes the place of an idle one, and none of one with a call', async (t) => {
  const free = Promise.withResolvers<void>();
  let waiting = 0;
  const started = await start(
    t,
    {
      '/test.Test/Hold': async (one) => {
        await one.message();
        waiting += 1;
        await free.promise;
        return [];
      },
    },
    { maxConnections: 2 },
  );
  const busy = clientFor(t, started);
  const held = call(busy, '/test.Test/Hold', Buffer.alloc(1));
  await until(() => waiting === 1);
  const idle = sessionFor(t, started);
  await once(idle, 'remoteSettings');
  const idleClosed = once(idle, 'close');
  assert.deepEqual(await call(clientFor(t, started), ECHO, Buffer.from('a')), Buffer.from('a'));
  await idleClosed;
  free.resolve();
  assert.deepEqual(await held, Buffer.alloc(0));
});

test('a new connection is closed when all others have calls, and these go on', async (t) => {
  const started = await start(t, {}, { maxConnections: 2 });
  const sessions = [sessionFor(t, started), sessionFor(t, started)];
  await Promise.all(sessions.map((session) => once(session, 'remoteSettings')));
  const held = sessions.map((session) =>
    session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'application/grpc' }),
  );
  // A ping is answered after the call that came before it.
  await Promise.all(sessions.map((session) => new Promise((done) => session.ping(done))));
  const refused = sessionFor(t, started);
  await once(refused, 'close');
  for (const stream of held) {
    const answered = once(stream, 'trailers');
    stream.resume().end(Buffer.concat([prefix(1), Buffer.from('a')]));
    const [trailers] = await answered;
    assert.equal(trailers['grpc-status'], String(status.OK));
  }
});

test('a drain answers the calls in progress, and refuses later ones so that clients send them elsewhere', async (t) => {
  const free = Promise.withResolvers<void>();
  let waiting = 0;
  const started = await start(t, {
    '/test.Test/Hold': async (one) => {
      await one.message();
      waiting += 1;
      await free.promise;
      return [Buffer.from('held')];
    },
  });
  const client = clientFor(t, started);
  const idle = sessionFor(t, started);
  await once(idle, 'remoteSettings');
  const held = call(client, '/test.Test/Hold', Buffer.alloc(1));
  await until(() => waiting === 1);
  const goaway = once(idle, 'goaway');
  const drained = started.lifecycle.drain(5000);
  assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
  const refused = (await call(client, ECHO, Buffer.alloc(1), { timeoutMs: 3000 })) as ServiceError;
  assert.equal(refused.code, status.UNAVAILABLE);
  free.resolve();
  assert.deepEqual(await held, Buffer.from('held'));
  assert.equal(await drained, true);
});

test('grpc.health.v1 answers without passing the door', async (t) => {
  const started = await start(t);
  const client = clientFor(t, started);
  const check = (service: string) =>
    call(
      client,
      '/grpc.health.v1.Health/Check',
      Buffer.from(service && `\x0a${String.fromCharCode(service.length)}${service}`),
    );
  assert.deepEqual(await check(''), Buffer.from([8, 1]));
  assert.deepEqual(await check('test.Test'), Buffer.from([8, 1]));
  assert.equal(((await check('other')) as ServiceError).code, status.NOT_FOUND);
  assert.equal(started.lines.length, 0);
});
