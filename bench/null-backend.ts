/**
 * A model server that does nothing: it reads a Predict's bytes, looks at none of them, and answers ten scores. With PREDICT_MS
 * each takes so long, two at a time, as on a machine of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILES = ['prediction_service', 'model_service'].map((name) => `tensorflow_serving/apis/${name}.proto`);

const definition = loadSync(FILES, { includeDirs: [PROTOS], keepCase: true, enums: String, defaults: true });
const { Predict, GetModelMetadata } = definition['tensorflow.serving.PredictionService'] as ServiceDefinition;
const { GetModelStatus } = definition['tensorflow.serving.ModelService'] as ServiceDefinition;
if (!Predict || !GetModelMetadata || !GetModelStatus) throw new Error('a method is missing in protos/');

const shape = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });
const model_spec = { name: 'clothing-model', version: { value: 1 } };
const signature = {
  inputs: { input_8: { name: 'input_8:0', dtype: 'DT_FLOAT', tensor_shape: shape(-1, 299, 299, 3) } },
  outputs: { dense_7: { name: 'dense_7:0', dtype: 'DT_FLOAT', tensor_shape: shape(-1, 10) } },
};
const map = definition['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, object>;
const value = map.serialize({ signature_def: { serving_default: signature } });
const metadata = { signature_def: { type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap', value } };
const scores = {
  dtype: 'DT_FLOAT',
  tensor_shape: shape(1, 10),
  float_val: Array.from({ length: 10 }, (_, index) => index),
};

const predictMs = Number(process.env.PREDICT_MS ?? 0);
const lanes = [Promise.resolve(), Promise.resolve()];
let next = 0;

const predict: handleUnaryCall<object, object> = async (_call, done) => {
  if (predictMs > 0) {
    const lane = next++ % lanes.length;
    const turn = (lanes[lane] ?? Promise.resolve()).then(() => sleep(predictMs));
    lanes[lane] = turn;
    await turn;
  }
  done(null, { model_spec, outputs: { dense_7: scores } });
};

const answer =
  (message: object): handleUnaryCall<object, object> =>
  (_call, done) =>
    done(null, message);

const server = new Server({ 'grpc.max_receive_message_length': -1 });
const readNothing = { requestDeserialize: (bytes: Buffer) => bytes };
server.addService(
  { Predict: { ...Predict, ...readNothing }, GetModelMetadata, GetModelStatus },
  {
    Predict: predict,
    GetModelMetadata: answer({ model_spec, metadata }),
    GetModelStatus: answer({ model_version_status: [{ version: 1, state: 'AVAILABLE', status: {} }] }),
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
