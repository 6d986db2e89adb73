/** The RPCs that look a model up: its metadata and the state of each version. */
import { performance } from 'node:perf_hooks';
import type { Backend } from '../../domain/backend.ts';
import type { Servable } from '../../domain/servable.ts';
import type { Rpc } from '../grpc/call.ts';
import { isUnimplemented } from '../grpc/failure.ts';
import { frame } from '../grpc/framing.ts';
import type { Unary } from '../grpc/unary.ts';
import { readMetadata, readStatus } from './look-up-responses.ts';
import type { ModelSpec, Protocol } from './messages.ts';

/** The server answers look-ups from memory, but a saturated one takes long. Callers with less time pass a signal. */
const LOOK_UP_TIMEOUT_MS = 30_000;

/** Some thousand tensors of signatures, or ten thousand versions. One look-up of a model runs at a time. */
export const MAX_LOOK_UP_BYTES = 2 ** 20;

/** Makes the look-up calls, which run no model. Failed RPCs throw the GatewayErrors of failure.ts. */
export function createLookUp(unary: Unary, protocol: Protocol): Pick<Backend, 'metadata' | 'status'> {
  const { GetModelMetadata } = protocol['tensorflow.serving.PredictionService'];
  const { GetModelStatus } = protocol['tensorflow.serving.ModelService'];
  const metadata: Backend['metadata'] = async (servable, signal, server) => {
    const { path, requestSerialize } = GetModelMetadata;
    const framed = frame(requestSerialize({ model_spec: modelSpec(servable), metadata_field: ['signature_def'] }));
    return readMetadata(await unary({ path, framed, ...limits(server), signal }));
  };
  const status: Backend['status'] = async (model, signal, server) => {
    const { path, requestSerialize } = GetModelStatus;
    const framed = frame(requestSerialize({ model_spec: { name: model } }));
    try {
      return readStatus(await unary({ path, framed, ...limits(server), signal }));
    } catch (thrown) {
      if (!isUnimplemented(thrown)) throw thrown;
      // Some servers of TF-Serving's protocol have no ModelService. Their metadata name the newest version.
      const { version } = await metadata({ model }, signal, server);
      return [{ version, state: 'AVAILABLE', error: '' }];
    }
  };
  return { metadata, status };
}

function limits(server: string | undefined): Pick<Rpc, 'deadlineMs' | 'maxResponseBytes' | 'only'> {
  const deadlineMs = performance.now() + LOOK_UP_TIMEOUT_MS;
  return { deadlineMs, maxResponseBytes: MAX_LOOK_UP_BYTES, ...(server !== undefined && { only: new Set([server]) }) };
}

function modelSpec({ model, version, label }: Servable): ModelSpec {
  return {
    name: model,
    ...(version !== undefined && { version: { value: version } }),
    ...(label !== undefined && { version_label: label }),
  };
}
