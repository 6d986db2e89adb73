/** Opens the clients of the model servers: one for requests, and one for copies of them. */

import type { AnswerBudget, AnswerLimits } from '../backend/grpc/answer-memory.ts';
import type { ExtraAttempt } from '../backend/grpc/attempts.ts';
import { type GrpcBackendOptions, POOL_BYTES } from '../backend/grpc/backend.ts';
import { openClient } from '../backend/grpc/channel.ts';
import { diagnose } from '../backend/grpc/diagnose.ts';
import { type BackendTls, readTls } from '../backend/grpc/tls.ts';
import { createBackend } from '../backend/protocols.ts';
import type { OwnBackend } from '../domain/own-limits.ts';
import { reloading } from '../machine/reload.ts';
import { createUnreachable } from '../model/unreachable.ts';
import { createPool, type Pool } from '../tensor/pool.ts';
import { ModelBackends, type Servers } from './model-backends.ts';
import { checked, sharedProtocol } from './settings.ts';
import type { StagesOptions } from './stages-options.ts';

export type ServersOptions = Pick<StagesOptions, 'config' | 'log' | 'target' | 'metrics' | 'opened'>;

export type ModelServers = {
  /** For requests. */
  readonly backends: ModelBackends;
  /** For copies: with connections of their own. They change nothing in the balancing and the retries of requests. */
  readonly copyBackends: ModelBackends;
  /** The memory of requests that are sent, and of those that were kept. */
  readonly pool: Pool;
};

/** `answers`: the memory of all answers to requests, and of those to copies. Throws ConfigError for a setting that a part refuses. */
export function openModelServers(
  options: ServersOptions,
  answers: { readonly ofRequests: AnswerBudget; readonly ofCopies: AnswerBudget },
): ModelServers {
  const { config, metrics } = options;
  const { hedgeAfterMs, maxOutputBytes } = config;
  const tls = checked(() => openBackendTls(options));
  const pool = createPool(POOL_BYTES);
  const shared = { maxOutputBytes, pool };
  const ofRequests = {
    ...shared,
    answers: answers.ofRequests,
    hedgeAfterMs,
    onStatus: (method: string, code: string) => metrics.backendCalls.inc({ method, code }),
    onExtraAttempt: (reason: ExtraAttempt) => metrics.backendExtraAttempts.inc({ reason }),
  };
  const ofCopies = { ...shared, answers: answers.ofCopies, onStatus: () => undefined };
  return { backends: openBackends(options, ofRequests, tls), copyBackends: openBackends(options, ofCopies, tls), pool };
}

type Settings = AnswerLimits & Pick<GrpcBackendOptions, 'pool' | 'hedgeAfterMs' | 'onStatus' | 'onExtraAttempt'>;

/** The shared model servers, and those that models have for themselves. */
function openBackends(options: ServersOptions, settings: Settings, tls: BackendTls | undefined): ModelBackends {
  const { config, target, opened } = options;
  // The embedded server is a child process: no TLS.
  const sharedTls = config.tfServingHost === undefined ? undefined : tls;
  const sharedServers = { host: target, protocol: sharedProtocol(config) };
  const shared = checked(() => openServers(options, sharedServers, settings, sharedTls), 'TF_SERVING_HOST');
  const open = (own: OwnBackend) => openServers(options, own, settings, tls);
  const backends = new ModelBackends({ shared, open, closeAfterMs: config.requestTimeoutMs });
  opened.defer(() => shared.backend.close());
  opened.defer(() => backends.close());
  return backends;
}

/** The client connects at its first call. */
function openServers(
  { config, log }: ServersOptions,
  { host, protocol }: OwnBackend,
  settings: Settings,
  tls: BackendTls | undefined,
): Servers {
  const { requestTimeoutMs } = config;
  const backend = createBackend(protocol, { client: openClient(host, { tls, requestTimeoutMs }), ...settings });
  return { backend, unreachable: createUnreachable(() => diagnose(host, tls), log) };
}

/** TLS to the model servers. Renewed certificate files (cert-manager) are read again. */
function openBackendTls({ config, log, opened }: ServersOptions): BackendTls | undefined {
  const { tfServingCaFile, tfServingCertFile, tfServingKeyFile } = config;
  const renewal = reloading({
    files: [tfServingCaFile, tfServingCertFile, tfServingKeyFile].filter((file) => file !== undefined),
    load: () => readTls(config),
    onChange: (renewed) => renewed && tls?.renew(renewed),
    log,
  });
  opened.defer(() => renewal.close());
  // The client keeps this one; renewed files only replace its certificates.
  const tls = renewal.current;
  return tls;
}
