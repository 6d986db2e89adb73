import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createOnCall, drain, listenOnPort, listenOnSocket } from './grpc-server.ts';
import type { Inference } from './inference.ts';
import { loadProtocol, type PredictRequest } from './protocol.ts';
import { MAX_MESSAGE_BYTES } from './receive.ts';
import type { Service } from './service.ts';
import { temporaryFolder } from './testing/server.ts';

const PREDICT = '/tensorflow.serving.PredictionService/Predict';
const protocol = loadProtocol();
const signals: AbortSignal[] = [];

/** Answers with the name of the model. `wait`: never. */
async function predict({ model_spec: spec }: PredictRequest, signal: AbortSignal): Promise<object> {
  signals.push(signal);
  const name = spec?.name ?? '';
  return name === 'wait' ? new Promise(() => undefined) : { model_spec: { name }, outputs: {} };
}
const unused = {
  classify() {},
  regress() {},
  getModelMetadata() {},
  getModelStatus() {},
  handleReloadConfigRequest() {},
};
const parts = { inference: { ...unused, predict }, service: unused } as unknown as {
  inference: Inference;
  service: Service;
};
const onCall = createOnCall(parts, protocol);
const { server, address } = await listenOnSocket(onCall, join(temporaryFolder({ after }), 's'));
after(() => server.drainable.close());

function client(): ClientHttp2Session {
  const session = connect('http://server', { createConnection: () => connectSocket(address.replace('unix:', '')) });
  after(() => session.destroy());
  return session;
}
const session = client();

function framed(name: string, flag = 0): Buffer {
  const message = protocol.predictionService.service.Predict?.requestSerialize({ model_spec: { name } }) as Buffer;
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

type Options = { readonly path?: string; readonly timeout?: string; readonly isOpen?: boolean };

/** Sends pieces one by one. Returns the status of the call with the answer's message. */
async function call(pieces: readonly Buffer[], { path = PREDICT, timeout, isOpen }: Options = {}) {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request({ ...headers, ...(timeout !== undefined && { 'grpc-timeout': timeout }) });
  const received: Buffer[] = [];
  const ended: Record<string, unknown> = {};
  stream.on('response', (about) => Object.assign(ended, about));
  stream.on('trailers', (about) => Object.assign(ended, about));
  stream.on('data', (piece: Buffer) => received.push(piece));
  stream.on('error', () => undefined);
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise(setImmediate);
  }
  if (!isOpen) stream.end();
  await once(stream, 'close');
  const name = status[Number(ended['grpc-status'])];
  return { name, text: ended['grpc-message'], answer: Buffer.concat(received).subarray(5).toString() };
}

test('a message may arrive in pieces of one byte', async () => {
  const { name, answer } = await call(Array.from(framed('some-model'), (byte) => Buffer.of(byte)));
  assert.equal(name, 'OK');
  assert.match(answer, /some-model/);
});

test('calls that are none of the API are refused', async () => {
  assert.equal(
    (await call([framed('m')], { path: '/tensorflow.serving.PredictionService/MultiInference' })).name,
    'UNIMPLEMENTED',
  );
  assert.equal((await call([framed('m')], { path: '/constructor' })).name, 'UNIMPLEMENTED');
  assert.equal((await call([framed('m', 1)])).name, 'UNIMPLEMENTED', 'compressed');
  assert.equal((await call([framed('m'), framed('m')])).name, 'INTERNAL', 'two messages');
  assert.equal((await call([framed('model').subarray(0, 9)])).name, 'INTERNAL', 'cut off');
  assert.equal((await call([])).name, 'INTERNAL', 'no message');
  assert.equal((await call([Buffer.of(0, 0, 0, 0, 1, 255)])).name, 'INTERNAL', 'not a PredictRequest');
});

test('a message above the limit is refused by its prefix', async () => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(MAX_MESSAGE_BYTES + 1, 1);
  const { name, text } = await call([prefix], { isOpen: true });
  assert.deepEqual([name, text], ['RESOURCE_EXHAUSTED', 'Received message larger than max (536870913 vs. 536870912)']);
});

test('a call ends at its deadline, whether its message or its answer is late', async () => {
  assert.equal((await call([framed('m').subarray(0, 8)], { timeout: '20m', isOpen: true })).name, 'DEADLINE_EXCEEDED');
  assert.equal((await call([framed('wait')], { timeout: '20m' })).name, 'DEADLINE_EXCEEDED');
  assert.equal(signals.at(-1)?.aborted, true);
});

test('the signal is aborted when the client leaves', async () => {
  const before = signals.length;
  const leaving = client();
  const stream = leaving.request({ ':method': 'POST', ':path': PREDICT, 'content-type': 'application/grpc' });
  stream.on('error', () => undefined);
  stream.end(framed('wait'));
  while (signals.length === before) await new Promise(setImmediate);
  const signal = signals.at(-1) as AbortSignal;
  const aborted = once(signal, 'abort');
  stream.close(constants.NGHTTP2_CANCEL);
  await aborted;
});

test('a server drains once the calls in flight have ended', async () => {
  const bound = await listenOnPort(onCall, '127.0.0.1', 0);
  const open = connect(`http://${bound.address}`);
  await once(open, 'remoteSettings');
  const stream = open.request({ ':method': 'POST', ':path': PREDICT, 'content-type': 'application/grpc' });
  stream.write(framed('m').subarray(0, 7));
  await once(bound.server.listener, 'stream');
  const drained = drain([bound]);
  stream.resume().end(framed('m').subarray(7));
  const [trailers] = await once(stream, 'trailers');
  assert.equal(trailers['grpc-status'], '0');
  await drained;
});
