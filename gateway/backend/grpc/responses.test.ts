/** Responses that break gRPC over HTTP/2: each ends its call at once, with a status that gRPC has. */
import assert from 'node:assert/strict';
import { createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { connect, failsWith, listen, predict } from '../../../tests/backend.ts';
import { GatewayError, type Kind } from '../../errors.ts';

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
/** A Predict without a fault takes milliseconds, its deadline is 5 s. */
const AT_ONCE_MS = 2000;

type Respond = (stream: ServerHttp2Stream) => void;

/** A message with its prefix. */
function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Sends a body and ends the call with the trailers. */
function respond(
  stream: ServerHttp2Stream,
  body: Uint8Array,
  trailers: OutgoingHttpHeaders,
  headers: object = {},
): void {
  stream.respond({ ...HEADERS, ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

/** A PredictResponse without outputs. */
const MESSAGE = framed(new Uint8Array());
const OK = { 'grpc-status': '0' };

/** Writes the bytes again and again, as fast as the client reads. */
function repeat(stream: ServerHttp2Stream, bytes: Buffer): void {
  stream.respond(HEADERS);
  const write = () => {
    while (!stream.destroyed && stream.write(bytes));
    stream.once('drain', write);
  };
  write();
}

const CASES: readonly (readonly [what: string, Respond, Kind | undefined, code: string])[] = [
  ['one message', (stream) => respond(stream, MESSAGE, OK), undefined, 'OK'],
  ['two messages', (stream) => respond(stream, Buffer.concat([MESSAGE, MESSAGE]), OK), 'model_failed', 'INTERNAL'],
  [
    'messages without end',
    (stream) => repeat(stream, Buffer.concat(Array(9000).fill(MESSAGE))),
    'model_failed',
    'INTERNAL',
  ],
  ['no message', (stream) => respond(stream, new Uint8Array(), OK), 'model_failed', 'INTERNAL'],
  [
    'half a message',
    (stream) => respond(stream, framed(Buffer.alloc(9), { length: 90 }), OK),
    'model_failed',
    'INTERNAL',
  ],
  ['crumbs', (stream) => sendCrumbs(stream), 'model_failed', 'INTERNAL'],
  ['interim responses', (stream) => sendInterim(stream), 'model_failed', 'INTERNAL'],
  ['200 MB announced', (stream) => announce(stream, 2e8), 'model_failed', 'RESOURCE_EXHAUSTED'],
  ['4 GB announced', (stream) => announce(stream, 2 ** 32 - 1), 'model_failed', 'RESOURCE_EXHAUSTED'],
  ['a compressed flag', (stream) => respond(stream, framed(Buffer.of(1), { flag: 1 }), OK), 'model_failed', 'INTERNAL'],
  ['a gzip bomb', (stream) => respond(stream, bomb(), OK, { 'grpc-encoding': 'gzip' }), 'model_failed', 'INTERNAL'],
  ['status 99', (stream) => respond(stream, MESSAGE, { 'grpc-status': '99' }), 'model_failed', 'UNKNOWN'],
  ['status -1', (stream) => respond(stream, MESSAGE, { 'grpc-status': '-1' }), 'model_failed', 'UNKNOWN'],
  ['status x', (stream) => respond(stream, MESSAGE, { 'grpc-status': 'x' }), 'model_failed', 'UNKNOWN'],
  ['no status', (stream) => respond(stream, MESSAGE, {}), 'model_failed', 'INTERNAL'],
  [
    'only trailers, with status 0',
    (stream) => stream.respond({ ...HEADERS, ...OK }, { endStream: true }),
    'model_failed',
    'INTERNAL',
  ],
  [
    'only trailers, without a status',
    (stream) => stream.respond(HEADERS, { endStream: true }),
    'model_failed',
    'UNKNOWN',
  ],
  ['a page with status 200', (stream) => sendPage(stream, 200), 'model_failed', 'UNKNOWN'],
  ['a page with status 404', (stream) => sendPage(stream, 404), 'model_failed', 'UNIMPLEMENTED'],
  ['a page with status 502', (stream) => sendPage(stream, 502), 'model_unavailable', 'UNAVAILABLE'],
  [
    '60 kB of text',
    (stream) => respond(stream, MESSAGE, { 'grpc-status': '13', 'grpc-message': 'x'.repeat(60_000) }),
    'model_failed',
    'INTERNAL',
  ],
];

for (const [what, answer, kind, code] of CASES) {
  test(`A18: ${what}: ${kind ?? 'answered'}, ${code}`, async (t) => {
    const { backend, statuses } = await connect(t, await serveRaw(t, answer));
    const startMs = performance.now();
    if (kind === undefined) await predict(backend);
    else await assert.rejects(predict(backend), failsWithShortText(kind));
    const tookMs = performance.now() - startMs;
    t.diagnostic(`came: ${statuses.at(-1)} after ${tookMs.toFixed()} ms`);
    assert.ok(tookMs < AT_ONCE_MS, `${tookMs} ms`);
    assert.deepEqual(statuses, [`Predict ${code}`]);
  });
}

async function serveRaw(t: TestContext, answer: Respond): Promise<string> {
  const server = createServer().on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  t.after(() => server.close());
  return listen(server);
}

function failsWithShortText(kind: Kind) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError && error.cause instanceof Error);
    assert.ok(error.cause.message.length < 2000, `${error.cause.message.length} characters`);
    return failsWith(kind)(error);
  };
}

/** 50,000 frames of one byte, of a message that may have as many. */
function sendCrumbs(stream: ServerHttp2Stream): void {
  stream.respond(HEADERS);
  stream.write(framed(new Uint8Array(), { length: 50_000 }));
  const write = () => {
    for (let count = 0; count < 500; count += 1) stream.write(Buffer.alloc(1));
    if (!stream.destroyed) setImmediate(write);
  };
  write();
}

function sendInterim(stream: ServerHttp2Stream): void {
  for (let count = 0; count < 100; count += 1) stream.additionalHeaders({ ':status': 103 });
}

function announce(stream: ServerHttp2Stream, length: number): void {
  stream.respond(HEADERS);
  stream.write(framed(Buffer.alloc(1000), { length }));
}

function bomb(): Buffer {
  return framed(gzipSync(Buffer.alloc(2e7)), { flag: 1 });
}

function sendPage(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status, 'content-type': 'text/html' });
  stream.end('<html>a proxy</html>');
}
