/** The gRPC client of the model servers: balancing, keepalive, message sizes, retries and reconnecting, in one place. */
import { type ChannelOptions, Client, credentials, experimental } from '@grpc/grpc-js';
import { BackendsResolver, parseBackends, SCHEME } from './backends-resolver.ts';

/** The largest request and answer: some 250 float32 images of 299x299, far below the 2 GiB where protobuf ends. */
export const MAX_MESSAGE_BYTES = 256 * 2 ** 20;

const SERVICE_CONFIG = {
  // HTTP/2 keeps one connection, so the default (pick_first) would leave all servers but one without work.
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        // The second attempt goes to the next server. UNAVAILABLE alone: everything else a server has thought about.
        // A Predict changes nothing, so it may run twice.
        maxAttempts: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
        initialBackoff: '0.02s',
        maxBackoff: '0.1s',
        backoffMultiplier: 2,
      },
    },
  ],
  // A failure takes one token, a success gives a tenth, retries stop at half: a server that dies may fail 100 calls at
  // once without a client noticing, but a lasting outage is retried for no more than a tenth of the traffic.
  retryThrottling: { maxTokens: 200, tokenRatio: 0.1 },
};

const OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
  // Ours holds; a TXT record in somebody's DNS is not to change it, nor to cost a query.
  'grpc.service_config_disable_resolution': 1,

  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,

  // A call is retried only if its message fits into these (default 1 MiB a call, and one image has 1.02 MiB). The bytes
  // are held until the answer begins; beyond the total, calls go without a second attempt.
  'grpc.per_rpc_retry_buffer_size': MAX_MESSAGE_BYTES,
  'grpc.retry_buffer_size': MAX_MESSAGE_BYTES,

  // A connection that died without a word is noticed after 15 s of a call, in time for a second attempt within 20 s.
  // gRPC's C++ servers end a connection at the fifth ping in a row between which they had nothing to send, here after
  // 50 s of one call, unless grpc.http2.min_ping_interval_without_data_ms allows it; grpc-js then pings half as often.
  // Without calls they allow one in two hours, so there is none (keepalive_permit_without_calls stays off).
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,

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

/**
 * Opens a client of one or several model servers: `host:port`, `dns:///name:port` (every address behind the name) or
 * `unix:/path`, several by comma. Connects at the first call. Throws an Error for a list that cannot be read.
 */
export function openClient(backends: string): Client {
  parseBackends(backends);
  experimental.registerResolver(SCHEME, BackendsResolver);
  return new Client(`${SCHEME}:${backends}`, credentials.createInsecure(), OPTIONS);
}
