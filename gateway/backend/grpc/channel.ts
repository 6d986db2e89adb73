/** Opens the gRPC client of the model servers: balancing, keepalive, message sizes and reconnecting. */
import { type ChannelOptions, credentials, experimental } from '@grpc/grpc-js';
import { LEAST_LOADED, LeastLoadedBalancer, LeastLoadedConfig } from './least-loaded.ts';
import { ModelServers } from './model-servers.ts';
import { BackendsResolver, parseBackends, SCHEME } from './resolver.ts';
import type { BackendTls } from './tls.ts';

/** The largest request and response: some 250 float32 images of 299x299, far below protobuf's limit of 2 GiB. */
export const MAX_MESSAGE_BYTES = 256 * 2 ** 20;

const MAX_TIMER_MS = 2 ** 31 - 1;
const MIN_PING_MS = 5000;
/** A ping needs no model, so only a machine that is very short of CPU takes this long. */
const PING_TIMEOUT_MS = 3000;

/**
 * Circuit breaker: a server that fails every call quickly would look like the least loaded one. If more than half of at
 * least five calls within 5 s fail, the server is ejected for 5 s, longer each time. Ejects only while fewer than half
 * of the servers are ejected, and never the only one.
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
  // The default (pick_first) would send every call over one connection to one server.
  loadBalancingConfig: [{ [LEAST_LOADED]: { child_policy: [{ outlier_detection: BREAKER }] } }],
};

const OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
  // No TXT record in DNS may replace this service config, or cost a query.
  'grpc.service_config_disable_resolution': 1,

  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  // Calls bypass the channel (call.ts); it would see itself as idle and close its connections.
  'grpc.client_idle_timeout_ms': MAX_TIMER_MS,

  // Reconnect to a returning server within about a second (default: up to two minutes).
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Find its new address as quickly. Many failing connections still cause only one lookup a second (default: 30 s).
  'grpc.dns_min_time_between_resolutions_ms': 1000,

  // grpc-js would read http_proxy from the environment. Connections to model servers use no proxy.
  'grpc.enable_http_proxy': 0,
  // Close connections with their client instead of sharing them with other clients of the process.
  'grpc.use_local_subchannel_pool': 1,
};

export type ChannelSettings = {
  /** Undefined: plain text. */
  readonly tls?: BackendTls | undefined;
  /** The name in the servers' certificates, if it is not the first of the list. */
  readonly serverName?: string;
  /** The longest call. */
  readonly requestTimeoutMs?: number;
};

/**
 * Opens a client of one or several model servers: `host:port`, `dns:///name:port` (every address behind the name) or
 * `unix:/path`, several separated by commas. Connects at the first call. Throws an Error for a list or a certificate
 * that cannot be parsed.
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
 * Pings detect a dead connection (server frozen or unplugged) within 8 s of a call, in time for a retry. gRPC's C++
 * servers close a connection at the fifth ping in a row without data from them in between, unless
 * grpc.http2.min_ping_interval_without_data_ms allows more, so at most four pings fit into the longest call. Without
 * calls they allow one ping in two hours, so none is sent (keepalive_permit_without_calls stays off).
 */
function keepalive(requestTimeoutMs: number): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': Math.max(MIN_PING_MS, requestTimeoutMs / 4),
    'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
  };
}
