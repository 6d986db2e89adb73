/** Metadata and status of models, and the list of them: one method per RPC. */

import { specOf } from './inference.ts';
import { modelConfigs } from './model-config.ts';
import type { Models } from './models.ts';
import type {
  GetModelMetadataRequest,
  GetModelMetadataResponse,
  GetModelStatusRequest,
  GetModelStatusResponse,
  Protocol,
  ReloadConfigRequest,
  ReloadConfigResponse,
} from './protocol.ts';
import { signatureDef } from './signature-def.ts';
import { invalidArgument, notFound } from './status.ts';

export type ServiceOptions = { readonly models: Models; readonly protocol: Protocol };

export class Service {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
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
