/** What every command under `models` receives. */
import type { BackendTls } from '../../backend/grpc/tls.ts';
import type { OwnBackend } from '../../domain/own-limits.ts';
import type { Output } from '../output.ts';

export type ModelsContext = {
  /** The folder MODELS. */
  readonly models: string;
  /** The servers of TF_SERVING_HOST. Without it the embedded servers of running gateways are asked. */
  readonly shared: OwnBackend | undefined;
  readonly tls?: BackendTls | undefined;
  readonly output: Output;
};
