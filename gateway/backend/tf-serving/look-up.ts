/** The RPCs that look a model up: its metadata and the state of each version. */
import type { Backend } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import { isUnimplemented } from '../grpc/failure.ts';
import { createLookUpCall } from '../grpc/look-up-call.ts';
import type { Unary } from '../grpc/unary.ts';
import { readMetadata, readStatus } from './look-up-responses.ts';
import type { ModelSpec, Protocol } from './messages.ts';

/** Makes the look-up calls, which run no model. Failed RPCs throw the GatewayErrors of failure.ts. */
export function createLookUp(unary: Unary, protocol: Protocol): Pick<Backend, 'metadata' | 'status'> {
  const lookUp = createLookUpCall(unary);
  const { GetModelMetadata } = protocol['tensorflow.serving.PredictionService'];
  const { GetModelStatus } = protocol['tensorflow.serving.ModelService'];
  const metadata: Backend['metadata'] = async (servable, signal, server) => {
    const { path, requestSerialize } = GetModelMetadata;
    const request = requestSerialize({ model_spec: modelSpec(servable), metadata_field: ['signature_def'] });
    return readMetadata(await lookUp(path, request, signal, server));
  };
  const status: Backend['status'] = async (model, signal, server) => {
    const { path, requestSerialize } = GetModelStatus;
    try {
      return readStatus(await lookUp(path, requestSerialize({ model_spec: { name: model } }), signal, server));
    } catch (thrown) {
      if (!isUnimplemented(thrown)) throw thrown;
      // Some servers of TF-Serving's protocol have no ModelService. Their metadata name the newest version.
      const { version } = await metadata({ model }, signal, server);
      return [{ version, state: 'AVAILABLE', error: '' }];
    }
  };
  return { metadata, status };
}

function modelSpec({ model, version, label }: Servable): ModelSpec {
  return {
    name: model,
    ...(version !== undefined && { version: { value: version } }),
    ...(label !== undefined && { version_label: label }),
  };
}
