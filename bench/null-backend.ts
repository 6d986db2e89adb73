/**
 * A null model server: it counts the bytes of a Predict request and answers ten constant scores per image. With
 * PREDICT_MS each request takes that long, two at a time, like a model on another machine. It uses plain HTTP/2 and
 * prepared answers, to use little CPU. VERSION is the version that it has, 1 by default. With GARBAGE=true a Predict is answered with bytes
 * that are no message.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILES = ['prediction_service', 'model_service'].map((name) => `tensorflow_serving/apis/${name}.proto`);
/** The HTTP/2 window of a connection and a stream: a tensor of 1 MB needs no round trip. */
const WINDOW_BYTES = 16 * 2 ** 20;

const definition = loadSync(FILES, { includeDirs: [PROTOS], keepCase: true, enums: String, defaults: true });
const { Predict, GetModelMetadata } = definition['tensorflow.serving.PredictionService'] as ServiceDefinition;
const { GetModelStatus } = definition['tensorflow.serving.ModelService'] as ServiceDefinition;
if (!Predict || !GetModelMetadata || !GetModelStatus)
  throw new Error('protos/ lacks Predict, GetModelMetadata or GetModelStatus');

const shape = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });
const signature = (dtype: string) => ({
  inputs: { input_8: { name: 'input_8:0', dtype, tensor_shape: shape(-1, 299, 299, 3) } },
  outputs: { dense_7: { name: 'dense_7:0', dtype: 'DT_FLOAT', tensor_shape: shape(-1, 10) } },
});
const version = Number(process.env.VERSION ?? 1);
const model_spec = { name: 'clothing-model', version: { value: version } };
const signature_def = { serving_default: signature('DT_FLOAT'), serving_uint8: signature('DT_UINT8') };
const map = definition['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, object>;
const metadata = {
  signature_def: {
    type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
    value: map.serialize({ signature_def }),
  },
};
const SAMPLES = 299 * 299 * 3;
const UINT8 = Buffer.from('serving_uint8');

/** Prefixes a gRPC message with its five bytes: the compression flag 0, and the length. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const { path: predictPath, responseSerialize } = Predict;
const predictions = new Map<number, Buffer>();

/** The framed answer for `rows` images, built once and cached. */
function predictionsFor(rows: number): Buffer {
  const float_val = Array.from({ length: 10 * rows }, (_, index) => index % 10);
  const dense_7 = { dtype: 'DT_FLOAT', tensor_shape: shape(rows, 10), float_val };
  const made = predictions.get(rows) ?? framed(responseSerialize({ model_spec, outputs: { dense_7 } }));
  predictions.set(rows, made);
  return made;
}

const status = { model_version_status: [{ version, state: 'AVAILABLE', status: {} }] };
const lookUps = new Map<string | undefined, Buffer>([
  [GetModelMetadata.path, framed(GetModelMetadata.responseSerialize({ model_spec, metadata }))],
  [GetModelStatus.path, framed(GetModelStatus.responseSerialize(status))],
]);

const garbage = process.env.GARBAGE === 'true' ? framed(randomBytes(500)) : undefined;
const predictMs = Number(process.env.PREDICT_MS ?? 0);
const slots = [Promise.resolve(), Promise.resolve()];
let next = 0;

/** Waits for the next of the two slots, then for PREDICT_MS. */
async function simulatePredict(): Promise<void> {
  if (predictMs === 0) return;
  const slot = next++ % slots.length;
  const done = (slots[slot] ?? Promise.resolve()).then(() => sleep(predictMs));
  slots[slot] = done;
  await done;
}

async function answer(stream: ServerHttp2Stream, path: string | undefined): Promise<void> {
  let bytes = 0;
  let first: Buffer | undefined;
  stream.on('data', (chunk: Buffer) => {
    first ??= chunk;
    bytes += chunk.length;
  });
  await once(stream, 'end');
  const isPredict = path === predictPath;
  if (isPredict) await simulatePredict();
  if (stream.destroyed) return;
  const sampleBytes = first?.includes(UINT8) ? 1 : 4;
  const rows = Math.floor(bytes / sampleBytes / SAMPLES);
  const message = isPredict ? (garbage ?? predictionsFor(rows)) : lookUps.get(path);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': message ? '0' : '12' }));
  stream.end(message);
}

const server = createServer({ settings: { initialWindowSize: WINDOW_BYTES }, maxSessionMemory: 1000 });
server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
server.on('stream', (stream, headers) => {
  stream.on('error', () => stream.destroy());
  answer(stream, headers[':path']).catch(() => stream.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
