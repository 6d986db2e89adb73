/** Makes the parts that replay pictures outside of a running gateway: decoders for one picture at a time and a client. */
import { openClient } from '../backend/grpc/channel.ts';
import type { BackendTls } from '../backend/grpc/tls.ts';
import { createBackend } from '../backend/protocols.ts';
import type { Config } from '../config/schema.ts';
import type { OwnBackend } from '../domain/own-limits.ts';
import type { Log } from '../domain/request.ts';
import { openPictures } from '../image/pictures.ts';
import type { ReplayParts } from '../model/replay.ts';
import { createPool } from '../tensor/pool.ts';
import { decodeLimits } from './settings.ts';
import { PIXELS_POOL_BYTES } from './stages.ts';

export type ProofOptions = {
  readonly config: Config;
  readonly servers: OwnBackend;
  readonly tls: BackendTls | undefined;
  readonly log: Log;
  /** Takes what has to be closed. */
  readonly opened: DisposableStack;
};

/** Opens the client and the decoders, with the limits of the settings. */
export function openProof({ config, servers, tls, log, opened }: ProofOptions): ReplayParts {
  const { maxImagePixels, maxOutputBytes, decodeTimeoutMs, requestTimeoutMs } = config;
  const pictures = openPictures({
    ...decodeLimits(config),
    timeoutMs: decodeTimeoutMs,
    count: 1,
    pixelsAtOnce: maxImagePixels,
    memory: createPool(PIXELS_POOL_BYTES),
    log,
    onLoss: () => undefined,
  });
  opened.defer(() => pictures.close());
  const client = openClient(servers.host, { tls, requestTimeoutMs });
  const backend = createBackend(servers.protocol, { client, maxOutputBytes, onStatus: () => undefined });
  opened.defer(() => backend.close());
  return { backend, fillRow: pictures.fillRow };
}
