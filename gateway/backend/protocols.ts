/** The protocols of model servers. */
import type { Backend } from '../domain/backend.ts';
import type { BackendProtocol } from '../domain/own-limits.ts';
import type { GrpcBackendOptions } from './grpc/backend.ts';
import { createOpenInference } from './open-inference/backend.ts';
import { createTfServing } from './tf-serving/backend.ts';

const CREATE: Readonly<Record<BackendProtocol, (options: GrpcBackendOptions) => Backend>> = {
  'tf-serving': createTfServing,
  'open-inference': createOpenInference,
};

/** Makes the backend for servers that speak the protocol. */
export function createBackend(protocol: BackendProtocol, options: GrpcBackendOptions): Backend {
  return CREATE[protocol](options);
}
