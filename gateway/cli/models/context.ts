/** What every command that asks model servers receives. */
import path from 'node:path';
import { type BackendTls, readTls } from '../../backend/grpc/tls.ts';
import type { Config } from '../../config/schema.ts';
import type { OwnBackend } from '../../domain/own-limits.ts';
import { checked, sharedProtocol } from '../../wiring/settings.ts';
import type { Output } from '../output.ts';

export type ModelsContext = {
  /** The folder MODELS. */
  readonly models: string;
  /** The servers of TF_SERVING_HOST. Without it the embedded servers of running gateways are asked. */
  readonly shared: OwnBackend | undefined;
  readonly tls?: BackendTls | undefined;
  readonly output: Output;
};

/** Throws ConfigError for a TLS setting that cannot be used. */
export function modelsContext(config: Config, output: Output): ModelsContext {
  const protocol = sharedProtocol(config);
  return {
    models: path.resolve(config.models),
    shared: config.tfServingHost === undefined ? undefined : { host: config.tfServingHost, protocol },
    tls: checked(() => readTls(config)),
    output,
  };
}
