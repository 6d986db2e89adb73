/** A gRPC server with TF-Serving's API. It records its Predict calls; the test supplies the answers. */
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
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';

const PROTOS = fileURLToPath(new URL('../protos', import.meta.url));
const FILES = ['prediction_service', 'model_service'].map((name) => `tensorflow_serving/apis/${name}.proto`);
const SIGNATURE_DEF_MAP = 'tensorflow.serving.SignatureDefMap';

export type PredictCall = {
  readonly spec: {
    readonly name: string;
    readonly signature_name: string;
    readonly version?: { readonly value: string };
    readonly version_label?: string;
  };
  /** The version that answers. */
  readonly version: number;
  readonly inputs: Readonly<Record<string, { dtype: string; tensor_content: Buffer; shape: number[] }>>;
  readonly raw: ServerUnaryCall<object, object>;
};

/** Called for every Predict. Returns the outputs as TensorProto objects, or throws an object like ServiceError. */
export type OnPredict = (call: PredictCall) => object | Promise<object>;

export type Served = {
  versions: ReadonlyMap<number, Pick<ModelServerOptions, 'inputs' | 'outputs'>>;
  labels: ReadonlyMap<string, number>;
};

type Info = { readonly dtype: string; readonly shape: readonly number[] };

export type ModelServerOptions = {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly outputs: Readonly<Record<string, Info>>;
  /** Signatures of single models by their name. Default: `inputs` and `outputs` for every model. */
  readonly models?: Readonly<Record<string, Pick<ModelServerOptions, 'inputs' | 'outputs'>>>;
  readonly version?: number;
  /** The models that it has. Default: any. */
  readonly names?: readonly string[];
  /** Called for each look-up of a model's versions. */
  readonly onStatus?: (name: string) => void;
  /**
   * Several versions and labels, which the test may change at any time. Then calls are answered as TF-Serving does: NOT_FOUND
   * for another version, INVALID_ARGUMENT for another label or input. `inputs`, `outputs` and `version` do not count.
   */
  readonly served?: Served;
  /** Default: without TLS. */
  readonly credentials?: ServerCredentials;
  readonly onPredict: OnPredict;
};

export type ModelServer = {
  readonly target: string;
  readonly calls: readonly PredictCall[];
  close(): void;
  /** Answers the calls that it has, takes no more, and ends. */
  drain(): Promise<void>;
};

/** Starts the server on a free port of 127.0.0.1, or on the given port and host. */
export async function startModelServer(
  options: ModelServerOptions,
  port = 0,
  host = '127.0.0.1',
): Promise<ModelServer> {
  const definition = loadSync(FILES, {
    includeDirs: [PROTOS],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    tensorflow: { serving: Record<'PredictionService' | 'ModelService', ServiceClientConstructor> };
  };
  const { PredictionService, ModelService } = loaded.tensorflow.serving;
  const map = definition[SIGNATURE_DEF_MAP] as MessageTypeDefinition<object, object>;
  const ownVersion = options.version ?? 1;
  const find = (spec: Spec) => (options.served ? findVersion(options.served, spec) : ownVersion);
  const calls: PredictCall[] = [];
  const server = new Server({ 'grpc.max_receive_message_length': -1 });

  server.addService(PredictionService.service, {
    GetModelMetadata({ request }: ServerUnaryCall<{ model_spec: Spec }, object>, done: sendUnaryData<object>) {
      const version = find(request.model_spec);
      if (typeof version === 'object') return done(version);
      const signature = options.served?.versions.get(version) ?? options.models?.[request.model_spec.name] ?? options;
      const value = map.serialize({ signature_def: { serving_default: signatureDef(signature) } });
      const any = { type_url: `type.googleapis.com/${SIGNATURE_DEF_MAP}`, value };
      done(null, { model_spec: answered(request.model_spec, version), metadata: { signature_def: any } });
    },
    Predict(raw: ServerUnaryCall<WireRequest, object>, done: sendUnaryData<object>) {
      const version = find(raw.request.model_spec);
      if (typeof version === 'object') return done(version);
      const call = { spec: raw.request.model_spec, version, inputs: readInputs(raw.request), raw } as PredictCall;
      calls.push(call);
      const wrong = options.served && wrongInput(call, options.served);
      if (wrong) return done(wrong);
      Promise.resolve()
        .then(() => options.onPredict(call))
        .then((outputs) => done(null, { model_spec: answered(raw.request.model_spec, version), outputs }))
        .catch((error) => done(error));
    },
  });
  server.addService(ModelService.service, {
    GetModelStatus({ request }: ServerUnaryCall<{ model_spec: Spec }, object>, done: sendUnaryData<object>) {
      options.onStatus?.(request.model_spec.name);
      const isKnown = options.names?.includes(request.model_spec.name) ?? true;
      const versions = isKnown ? [...(options.served?.versions.keys() ?? [ownVersion])] : [];
      if (versions.length === 0)
        return done({ code: status.NOT_FOUND, details: 'Could not find any versions of model' });
      done(null, { model_version_status: versions.map((version) => ({ version, state: 'AVAILABLE', status: {} })) });
    },
    HandleReloadConfigRequest(_call: unknown, done: sendUnaryData<object>) {
      done({ code: status.UNIMPLEMENTED, details: 'not implemented' });
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, taken: number) => (error ? reject(error) : resolve(taken));
    server.bindAsync(`${host}:${port}`, options.credentials ?? ServerCredentials.createInsecure(), done);
  });
  return {
    target: `${host}:${bound}`,
    calls,
    close: () => server.forceShutdown(),
    drain: () => new Promise((resolve, reject) => server.tryShutdown((error) => (error ? reject(error) : resolve()))),
  };
}

type Spec = { readonly name: string; readonly version?: { readonly value: string }; readonly version_label?: string };
type Failure = { readonly code: status; readonly details: string };

/** The version that a request means, or TF-Serving's error. */
function findVersion({ versions, labels }: Served, { name, version, version_label: label }: Spec): number | Failure {
  const asked = label ? labels.get(label) : Number(version?.value ?? Math.max(...versions.keys()));
  if (asked === undefined) {
    return { code: status.INVALID_ARGUMENT, details: `Unrecognized servable version label: ${label}` };
  }
  if (versions.has(asked)) return asked;
  return { code: status.NOT_FOUND, details: `Servable not found for request: Specific(${name}, ${asked})` };
}

/** The spec of an answer: it names the version, whatever the request named. */
function answered({ version_label: _, ...spec }: Spec, version: number): object {
  return { ...spec, version: { value: version } };
}

/** TF-Serving's error for an input that the signature does not have. */
function wrongInput({ inputs, version }: PredictCall, { versions }: Served): Failure | undefined {
  const expected = Object.keys(versions.get(version)?.inputs ?? {});
  if (expected.every((name) => name in inputs)) return undefined;
  const details = `input tensor alias not found in signature: ${Object.keys(inputs)}. Inputs expected to be in the set {${expected}}.`;
  return { code: status.INVALID_ARGUMENT, details };
}

type WireRequest = {
  model_spec: Spec;
  inputs: Record<string, { dtype: string; tensor_content: Buffer; tensor_shape: { dim: { size: string }[] } }>;
};

function readInputs({ inputs }: WireRequest) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, tensor_content, tensor_shape }]) => [
      name,
      { dtype, tensor_content, shape: tensor_shape.dim.map(({ size }) => Number(size)) },
    ]),
  );
}

function signatureDef({ inputs, outputs }: Pick<ModelServerOptions, 'inputs' | 'outputs'>) {
  const infos = (side: Readonly<Record<string, Info>>) =>
    Object.fromEntries(
      Object.entries(side).map(([name, { dtype, shape }]) => [
        name,
        { name: `${name}:0`, dtype, tensor_shape: { dim: shape.map((size) => ({ size })) } },
      ]),
    );
  return { inputs: infos(inputs), outputs: infos(outputs), method_name: 'tensorflow/serving/predict' };
}

/** Whether this is the Predict of zeros that a gateway sends before it is ready. */
export function isWarmUp({ inputs }: PredictCall): boolean {
  return Object.values(inputs).every(({ tensor_content }) => tensor_content.every((byte) => byte === 0));
}

/** A float TensorProto with its values in `float_val`, as TF-Serving encodes answers by default. */
export function floatTensor(shape: readonly number[], values: readonly number[]): object {
  return { dtype: 'DT_FLOAT', tensor_shape: { dim: shape.map((size) => ({ size })) }, float_val: values };
}

/** The signature of the original clothing model: from `input_8` to `dense_7`. */
export const XCEPTION = {
  inputs: { input_8: { dtype: 'DT_FLOAT', shape: [-1, 299, 299, 3] } },
  outputs: { dense_7: { dtype: 'DT_FLOAT', shape: [-1, 10] } },
} as const;

/** Outputs of one image: ten equal scores. */
export const EQUAL_SCORES = { dense_7: floatTensor([1, 10], Array(10).fill(1)) };

/** Starts a server with the signature of the original clothing model. It answers equal scores by default. */
export function startClothingModel(onPredict: OnPredict = () => EQUAL_SCORES): Promise<ModelServer> {
  return startModelServer({ ...XCEPTION, names: ['clothing-model'], onPredict });
}
