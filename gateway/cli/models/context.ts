/** What every command on models is given. */
import type { BackendTls } from '../../backend/grpc/tls.ts';
import type { Output } from '../output.ts';

export type ModelsContext = {
  /** The folder of MODELS. */
  readonly models: string;
  /** TF_SERVING_HOST; without it there are no servers to ask. */
  readonly backends: string | undefined;
  readonly tls?: BackendTls | undefined;
  readonly output: Output;
};
