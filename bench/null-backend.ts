/**
 * A model server that does nothing: it takes a Predict's bytes, looks at none of them, and answers ten scores for each row
 * of float32. With PREDICT_MS each takes so long whatever its rows, two at a time, as on an accelerator of its own. Plain HTTP/2 and ready bytes, so that it costs little.
 */
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILES = ['prediction_service', 'model_service'].map((name) => `tensorflow_serving/apis/${name}.proto`);
/** What a connection and a request may send unasked: a megabyte's tensor needs no round trip. */
const WINDOW_BYTES = 16 * 2 ** 20;
const ROW_BYTES = 299 * 299 * 3 * 4;

const definition = loadSync(FILES, { includeDirs: [PROTOS], keepCase: true, enums: String, defaults: true });
const { Predict, GetModelMetadata } = definition['tensorflow.serving.PredictionService'] as ServiceDefinition;
const { GetModelStatus } = definition['tensorflow.serving.ModelService'] as ServiceDefinition;
if (!Predict || !GetModelMetadata || !GetModelStatus) throw new Error('a method is missing in protos/');

const shape = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });
const signature = (dtype: string) => ({
  inputs: { input_8: { name: 'input_8:0', dtype, tensor_shape: shape(-1, 299, 299, 3) } },
  outputs: { dense_7: { name: 'dense_7:0', dtype: 'DT_FLOAT', tensor_shape: shape(-1, 10) } },
});
const model_spec = { name: 'clothing-model', version: { value: 1 } };
const signature_def = { serving_default: signature('DT_FLOAT'), serving_uint8: signature('DT_UINT8') };
const map = definition['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, object>;
const metadata = {
  signature_def: {
    type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
    value: map.serialize({ signature_def }),
  },
};
const scores = (rows: number) => ({
  dtype: 'DT_FLOAT',
  tensor_shape: shape(rows, 10),
  float_val: Array.from({ length: rows * 10 }, (_, index) => index % 10),
});

/** A gRPC message on the wire: not compressed, its length, its bytes. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const { path: predictPath, responseSerialize } = Predict;
const predictions: Buffer[] = [];

/** The answer to a Predict of so many bytes, made once for each number of rows. */
function prediction(bytes: number): Buffer {
  const rows = Math.max(1, Math.floor(bytes / ROW_BYTES));
  predictions[rows] ??= framed(responseSerialize({ model_spec, outputs: { dense_7: scores(rows) } }));
  return predictions[rows];
}

const answers = new Map<string | undefined, Buffer>([
  [GetModelMetadata.path, framed(GetModelMetadata.responseSerialize({ model_spec, metadata }))],
  [
    GetModelStatus.path,
    framed(
      GetModelStatus.responseSerialize({ model_version_status: [{ version: 1, state: 'AVAILABLE', status: {} }] }),
    ),
  ],
]);

const predictMs = Number(process.env.PREDICT_MS ?? 0);
const lanes = [Promise.resolve(), Promise.resolve()];
let next = 0;

async function takeTime(): Promise<void> {
  if (predictMs === 0) return;
  const lane = next++ % lanes.length;
  const turn = (lanes[lane] ?? Promise.resolve()).then(() => sleep(predictMs));
  lanes[lane] = turn;
  await turn;
}

async function answer(stream: ServerHttp2Stream, path: string | undefined): Promise<void> {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(stream, 'end');
  if (path === predictPath) await takeTime();
  const message = path === predictPath ? prediction(bytes) : answers.get(path);
  if (stream.destroyed) return;
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
