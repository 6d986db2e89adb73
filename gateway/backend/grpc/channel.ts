/** The gRPC client of the model servers: balancing, keepalive, message sizes and reconnecting, in one place. */
import { type ChannelOptions, credentials, experimental } from '@grpc/grpc-js';
import { LEAST_LOADED, LeastLoadedBalancer, LeastLoadedConfig } from './least-loaded.ts';
import { ModelServers } from './model-servers.ts';
import { BackendsResolver, parseBackends, SCHEME } from './resolver.ts';
import type { BackendTls } from './tls.ts';

/** The largest request and answer: some 250 float32 images of 299x299, far below the 2 GiB where protobuf ends. */
export const MAX_MESSAGE_BYTES = 256 * 2 ** 20;

const MAX_TIMER_MS = 2 ** 31 - 1;
const MIN_PING_MS = 5000;
/** A ping is answered without the model; only a machine that is very short of CPU takes as long. */
const PING_PATIENCE_MS = 3000;

/**
 * A server that answers quickly because it fails at everything would be the least loaded one: when more than half of at
 * least five calls within 5 s fail, it gets none for 5 s, and longer each time. Only while fewer than half of the servers
 * are aside, and never the only one.
 */
const BREAKER = {
  interval: { seconds: 5, nanos: 0 },
  base_ejection_time: { seconds: 5, nanos: 0 },
  max_ejection_time: { seconds: 60, nanos: 0 },
  max_ejection_percent: 50,
  failure_percentage_ejection: { threshold: 50, enforcement_percentage: 100, minimum_hosts: 2, request_volume: 5 },
  child_policy: [{ round_robin: {} }],
};

const SERVICE_CONFIG = {
  // HTTP/2 keeps one connection, so the default (pick_first) would leave all servers but one without work.
  loadBalancingConfig: [{ [LEAST_LOADED]: { child_policy: [{ outlier_detection: BREAKER }] } }],
};

const OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
  // Ours holds; a TXT record in somebody's DNS is not to change it, nor to cost a query.
  'grpc.service_config_disable_resolution': 1,

  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  // Calls are made past the channel (call.ts), which would take it for idle and close its connections.
  'grpc.client_idle_timeout_ms': MAX_TIMER_MS,

  // A server that comes back is found within about a second (default: up to two minutes).
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // And so is its new address; a crowd of failing connections still makes one lookup a second (default: 30 s).
  'grpc.dns_min_time_between_resolutions_ms': 1000,

  // grpc-js would read http_proxy from the environment. Model servers are near; no proxy speaks to them.
  'grpc.enable_http_proxy': 0,
  // Connections end with their client instead of being kept for other clients of the process.
  'grpc.use_local_subchannel_pool': 1,
};

export type ChannelSettings = {
  /** None: plain text. */
  readonly tls?: BackendTls | undefined;
  /** The name in the servers' certificates, where it is not the first of the list. */
  readonly serverName?: string;
  /** How long a call may take. */
  readonly requestTimeoutMs?: number;
};

/**
 * Opens a client of one or several model servers: `host:port`, `dns:///name:port` (every address behind the name) or
 * `unix:/path`, several by comma. Connects at the first call. Throws an Error for a list or a certificate that cannot be
 * read.
 */
export function openClient(backends: string, settings: ChannelSettings = {}): ModelServers {
  const { tls, serverName, requestTimeoutMs = 20_000 } = settings;
  parseBackends(backends);
  experimental.registerResolver(SCHEME, BackendsResolver);
  experimental.registerLoadBalancerType(LEAST_LOADED, LeastLoadedBalancer, LeastLoadedConfig);
  const options = {
    ...OPTIONS,
    ...keepalive(requestTimeoutMs),
    ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
  };
  return new ModelServers(backends, credentialsOf(tls), options);
}

function credentialsOf(tls: BackendTls | undefined) {
  if (!tls) return credentials.createInsecure();
  return experimental.createCertificateProviderChannelCredentials(tls, tls.hasIdentity ? tls : null);
}

/**
 * A server that stopped without a word (frozen, unplugged) is noticed within 8 s of a call, in time for a second attempt.
 * gRPC's C++ servers end a connection at the fifth ping in a row between which they had nothing to send, unless
 * grpc.http2.min_ping_interval_without_data_ms allows it, so no more than four fit into the longest call. Without calls
 * they allow one in two hours, so there is none (keepalive_permit_without_calls stays off).
 */
function keepalive(requestTimeoutMs: number): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': Math.max(MIN_PING_MS, requestTimeoutMs / 4),
    'grpc.keepalive_timeout_ms': PING_PATIENCE_MS,
  };
}
