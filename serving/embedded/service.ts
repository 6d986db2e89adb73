/** PredictionService and ModelService: one method per RPC. */

import { modelConfigs } from './model-config.ts';
import type { Models } from './models.ts';
import { checkTensors, findSignature, outputNames, readInputs } from './predict.ts';
import {
  DEFAULT_SIGNATURE,
  type GetModelMetadataRequest,
  type GetModelMetadataResponse,
  type GetModelStatusRequest,
  type GetModelStatusResponse,
  type ModelSpec,
  type PredictRequest,
  type PredictResponse,
  type Protocol,
  type ReloadConfigRequest,
  type ReloadConfigResponse,
  type SignatureDef,
} from './protocol.ts';
import { RequestCounts } from './request-counts.ts';
import type { Servable } from './servable.ts';
import type { Signature, ValueInfo } from './session-worker.ts';
import { invalidArgument, notFound, StatusError } from './status.ts';
import { writeTensor } from './tensor.ts';

export type ServiceOptions = {
  readonly models: Models;
  readonly protocol: Protocol;
  /** Limit of concurrent Predict calls, queued ones included. Calls above it fail with RESOURCE_EXHAUSTED. */
  readonly maxCalls: number;
  readonly asTensorContent: boolean;
};

export class Service {
  /** Of Predict, without calls for unknown models. */
  readonly requestCounts = new RequestCounts();
  readonly #options: ServiceOptions;
  #calls = 0;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Runs a model. @throws StatusError with TF-Serving's codes and texts */
  async predict(request: PredictRequest, signal: AbortSignal): Promise<PredictResponse> {
    if (this.#calls >= this.#options.maxCalls) {
      throw new StatusError('RESOURCE_EXHAUSTED', 'Server Threadpool Exhausted');
    }
    this.#calls++;
    try {
      return await this.#predict(request, signal);
    } finally {
      this.#calls--;
    }
  }

  async #predict(request: PredictRequest, signal: AbortSignal): Promise<PredictResponse> {
    const spec = specOf(request);
    const servable = this.#options.models.servable(spec);
    return this.requestCounts.of(spec.name, this.#run(request, spec, servable, signal));
  }

  async #run(
    request: PredictRequest,
    spec: ModelSpec,
    servable: Servable,
    signal: AbortSignal,
  ): Promise<PredictResponse> {
    const signatureName = spec.signature_name || DEFAULT_SIGNATURE;
    const signature = findSignature(servable.signatures, signatureName);
    const feeds = readInputs(signature, request.inputs);
    const fetches = outputNames(signature, request.output_filter);
    checkTensors(signature, feeds);
    const outputs = await servable.run({ signature: signatureName, feeds, fetches, signal });
    const protos = [...outputs].map(([name, tensor]) => [name, writeTensor(tensor, this.#options.asTensorContent)]);
    return {
      model_spec: { name: spec.name, version: { value: servable.version }, signature_name: signatureName },
      outputs: Object.fromEntries(protos),
    };
  }

  /** Returns a version's signatures. @throws StatusError NOT_FOUND; INVALID_ARGUMENT for other fields */
  async getModelMetadata(request: GetModelMetadataRequest): Promise<GetModelMetadataResponse> {
    const spec = specOf(request);
    if (request.metadata_field.length === 0) {
      throw invalidArgument('GetModelMetadataRequest must specify at least one metadata_field');
    }
    const unknown = request.metadata_field.find((field) => field !== 'signature_def');
    if (unknown !== undefined) throw invalidArgument(`Metadata field ${unknown} is not supported`);
    const { name, version, signatures } = this.#options.models.servable(spec);
    const value = this.#options.protocol.serializeSignatureDefMap({
      signature_def: Object.fromEntries([...signatures].map(([key, signature]) => [key, signatureDef(signature)])),
    });
    return {
      model_spec: { name, version: { value: version } },
      metadata: { signature_def: { type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap', value } },
    };
  }

  /** Returns the states of all versions, newest first, or of the requested one. @throws StatusError NOT_FOUND */
  async getModelStatus(request: GetModelStatusRequest): Promise<GetModelStatusResponse> {
    const { name, version } = specOf(request);
    const states = this.#options.models.states(name);
    const requested = version === undefined ? states : states.filter(([one]) => one === Number(version.value));
    if (requested.length === 0 && version !== undefined) {
      throw notFound(`Could not find version ${version.value} of model ${name}`);
    }
    if (requested.length === 0) throw notFound(`Could not find any versions of model ${name}`);
    return {
      model_version_status: requested.map(([one, { state, error }]) => ({
        version: one,
        state,
        status: { error_code: error?.code ?? 'OK', error_message: error?.message ?? '' },
      })),
    };
  }

  /** Replaces the list of models. @throws StatusError, errors of Models.reload and modelConfigs */
  async handleReloadConfigRequest(request: ReloadConfigRequest): Promise<ReloadConfigResponse> {
    const list = request.config?.model_config_list;
    if (!list) {
      throw invalidArgument(
        'ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported',
      );
    }
    await this.#options.models.reload(modelConfigs(list.config));
    return { status: { error_code: 'OK', error_message: '' } };
  }
}

function specOf({ model_spec: spec }: { readonly model_spec: ModelSpec | null }): ModelSpec {
  if (spec === null) throw invalidArgument('Missing ModelSpec');
  return spec;
}

function signatureDef({ inputs, outputs }: Signature): SignatureDef {
  const infos = (values: ReadonlyMap<string, ValueInfo>) =>
    Object.fromEntries(
      [...values].map(([name, { dtype, shape }]) => {
        const dim = shape.map((size) => ({ size }));
        return [name, { name: `${name}:0`, dtype, tensor_shape: { dim } }];
      }),
    );
  return { inputs: infos(inputs), outputs: infos(outputs), method_name: 'tensorflow/serving/predict' };
}
