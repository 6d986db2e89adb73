/** A gRPC server of the Open Inference Protocol. The test supplies its answers, and what it has. */
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { datatypeOf, dtypeOf } from '../gateway/tensor/datatype.ts';
import type { ModelServer, ModelServerOptions, PredictCall } from './model-server.ts';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILE = 'inference/grpc_inference_service.proto';

export type InferRequest = {
  readonly model_name: string;
  readonly model_version: string;
  readonly inputs: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly string[] }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Buffer[];
};
export type InferCall = { readonly request: InferRequest; readonly raw: ServerUnaryCall<object, object> };

/** A version in the answer of RepositoryIndex. */
export type Indexed = {
  readonly name: string;
  readonly version?: string;
  readonly state?: string;
  readonly reason?: string;
};

export type OpenInferenceOptions = Pick<ModelServerOptions, 'inputs' | 'outputs' | 'credentials'> & {
  /** The versions that it lists. Default: "1". */
  readonly versions?: readonly string[];
  /** The models that it has. Default: any. */
  readonly names?: readonly string[];
  /** What it answers for other models and versions. Default: NOT_FOUND. Triton's was UNAVAILABLE until 2022. */
  readonly unknownCode?: status;
  /** Default: every version that is listed. */
  readonly isReady?: (version: string) => boolean;
  /** Default: the server has no RepositoryIndex. */
  readonly index?: () => readonly Indexed[];
  /** Called for every ModelInfer. Returns the answer's fields, or throws an object like ServiceError. */
  readonly onInfer: (call: InferCall) => object | Promise<object>;
};

export type OpenInferenceServer = Pick<ModelServer, 'target' | 'close'> & {
  readonly calls: readonly InferRequest[];
  /** The methods and versions of all look-ups. */
  readonly lookUps: readonly string[];
};

type NameAndVersion = ServerUnaryCall<{ readonly name: string; readonly version: string }, object>;

/** Starts the server on the given port of 127.0.0.1, or on a free one. Its answers may change: the options are read at each call. */
export async function startOpenInference(options: OpenInferenceOptions, port = 0): Promise<OpenInferenceServer> {
  const definition = loadSync(FILE, { includeDirs: [PROTOS], keepCase: true, longs: String, defaults: true });
  const { inference } = loadPackageDefinition(definition) as unknown as {
    inference: Record<'GRPCInferenceService', ServiceClientConstructor>;
  };
  const calls: InferRequest[] = [];
  const lookUps: string[] = [];
  const versions = () => options.versions ?? ['1'];
  const unknown = (name: string, version: string) => {
    const isKnown = options.names?.includes(name) ?? true;
    if (isKnown && (version === '' || versions().includes(version))) return undefined;
    const what = isKnown ? `'${name}' version ${version}` : `'${name}'`;
    const details = `Request for unknown model: ${what} is not found`;
    return { code: options.unknownCode ?? status.NOT_FOUND, details };
  };
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(inference.GRPCInferenceService.service, {
    ModelReady({ request: { name, version } }: NameAndVersion, done: sendUnaryData<object>) {
      lookUps.push(`ModelReady ${version}`);
      done(null, { ready: !unknown(name, version) && (options.isReady?.(version) ?? true) });
    },
    ModelMetadata({ request: { name, version } }: NameAndVersion, done: sendUnaryData<object>) {
      lookUps.push(`ModelMetadata ${version}`);
      const failure = unknown(name, version);
      if (failure) return done(failure);
      done(null, {
        name,
        versions: version === '' ? versions() : [version],
        platform: 'test',
        inputs: tensorsOf(options.inputs),
        outputs: tensorsOf(options.outputs),
      });
    },
    ModelInfer(raw: ServerUnaryCall<InferRequest, object>, done: sendUnaryData<object>) {
      const { request } = raw;
      const failure = unknown(request.model_name, request.model_version);
      if (failure) return done(failure);
      calls.push(request);
      const named = { model_name: request.model_name, model_version: request.model_version || (versions()[0] ?? '') };
      Promise.resolve()
        .then(() => options.onInfer({ request, raw }))
        .then((answer) => done(null, { ...named, ...answer }))
        .catch((error) => done(error));
    },
    RepositoryIndex(_call: unknown, done: sendUnaryData<object>) {
      lookUps.push('RepositoryIndex');
      if (options.index) done(null, { models: options.index() });
      else done({ code: status.UNIMPLEMENTED, details: 'not implemented' });
    },
    ServerLive: (_call: unknown, done: sendUnaryData<object>) => done(null, { live: true }),
    ServerReady: (_call: unknown, done: sendUnaryData<object>) => done(null, { ready: true }),
    ServerMetadata: (_call: unknown, done: sendUnaryData<object>) => done(null, { name: 'test' }),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, taken: number) => (error ? reject(error) : resolve(taken));
    server.bindAsync(`127.0.0.1:${port}`, options.credentials ?? ServerCredentials.createInsecure(), done);
  });
  return { target: `127.0.0.1:${bound}`, calls, lookUps, close: () => server.forceShutdown() };
}

function tensorsOf(infos: ModelServerOptions['inputs']): object[] {
  return Object.entries(infos).map(([name, { dtype, shape }]) => ({
    name,
    datatype: datatypeOf(dtype) ?? dtype,
    shape,
  }));
}

/** An answer in typed contents: the FP32 tensors of these values. */
export function floatOutputs(
  tensors: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>,
) {
  return {
    outputs: Object.entries(tensors).map(([name, { shape, values }]) => ({
      name,
      datatype: 'FP32',
      shape,
      contents: { fp32_contents: values },
    })),
  };
}

/** Starts a server whose answers are those of a test of TF-Serving. */
export async function startAsTensorFlow(
  { onPredict, version = 1, ...rest }: ModelServerOptions,
  port = 0,
): Promise<ModelServer> {
  const calls: PredictCall[] = [];
  const server = await startOpenInference(
    {
      ...rest,
      versions: [String(version)],
      async onInfer({ request, raw }) {
        const call = { spec: specOf(request), version, inputs: inputsOf(request), raw };
        calls.push(call);
        return outputsOf(await onPredict(call));
      },
    },
    port,
  );
  return { ...server, calls, drain: () => Promise.resolve(server.close()) };
}

function specOf({ model_name: name, model_version: version }: InferRequest): PredictCall['spec'] {
  return { name, signature_name: 'serving_default', ...(version !== '' && { version: { value: version } }) };
}

function inputsOf({ inputs, raw_input_contents: raw }: InferRequest): PredictCall['inputs'] {
  const entries = inputs.map(({ name, datatype, shape }, index) => {
    const content = raw[index] ?? Buffer.alloc(0);
    return [name, { dtype: String(dtypeOf(datatype)), tensor_content: content, shape: shape.map(Number) }] as const;
  });
  return Object.fromEntries(entries);
}

type TensorProto = {
  readonly dtype: string;
  readonly tensor_shape: { readonly dim: readonly { readonly size: number }[] };
  readonly float_val?: readonly number[];
  readonly tensor_content?: Buffer;
};

/** TensorProtos as outputs: raw where they have their content as bytes. */
function outputsOf(tensors: object): object {
  const entries = Object.entries(tensors as Readonly<Record<string, TensorProto>>);
  const outputs = entries.map(([name, { dtype, tensor_shape, float_val }]) => ({
    name,
    datatype: datatypeOf(dtype),
    shape: tensor_shape.dim.map(({ size }) => size),
    ...(float_val && { contents: { fp32_contents: float_val } }),
  }));
  return { outputs, raw_output_contents: entries.flatMap(([, { tensor_content }]) => tensor_content ?? []) };
}
