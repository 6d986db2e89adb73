/** What each part gets of the settings. */
import { hidePassword } from '../config/passwords.ts';
import { ConfigError, readStoreVariables } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import type { BackendProtocol } from '../domain/own-limits.ts';
import type { CertificateFiles } from '../door/tls.ts';
import type { FetchOptions } from '../fetch/http.ts';
import type { DecodeLimits } from '../image/decoder/reply.ts';

const CONNECT_TIMEOUT_MS = 2000;
/** Connections to one image source at once. */
const SOCKETS_PER_SOURCE = 16;

/** Which images are decoded: by requests, by parity, and by `tensorgate models prove`. */
export function decodeLimits({ imageFormats, maxImagePixels, maxImageBytes }: Config): DecodeLimits {
  return { formats: imageFormats, maxPixels: maxImagePixels, maxBytes: maxImageBytes };
}

/** How images are fetched, by a prediction and by `tensorgate doctor`. */
export function fetchOptions(config: Config, maxTotalSockets?: number): FetchOptions {
  return {
    allow: config.fetchAllow,
    deny: config.fetchDeny,
    buckets: config.fetchBuckets,
    ...(config.fetchBuckets.length > 0 && { stores: readStoreVariables() }),
    allowPrivate: config.fetchAllowPrivate,
    ports: config.fetchPorts,
    maxBytes: config.maxImageBytes,
    maxRedirects: config.fetchMaxRedirects,
    timeoutMs: config.fetchTimeoutMs,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    maxSockets: SOCKETS_PER_SOURCE,
    maxTotalSockets,
    userAgent: config.fetchUserAgent,
    proxy: config.fetchProxy === undefined ? undefined : new URL(config.fetchProxy),
  };
}

/** The protocol of TF_SERVING_HOST, or of the embedded server. Throws ConfigError where the embedded server cannot speak it. */
export function sharedProtocol({ backendProtocol, tfServingHost }: Config): BackendProtocol {
  if (tfServingHost !== undefined || backendProtocol === 'tf-serving') return backendProtocol;
  throw new ConfigError(
    `BACKEND_PROTOCOL=${backendProtocol}: needs TF_SERVING_HOST; the embedded server speaks tf-serving`,
  );
}

/** The certificate of PORT, if it has one. Throws ConfigError where only one of the two files is set. */
export function tlsFiles({ tlsCertFile: certFile, tlsKeyFile: keyFile }: Config): CertificateFiles | undefined {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile === keyFile) return undefined;
  throw new ConfigError('TLS_CERT_FILE and TLS_KEY_FILE: set both, or neither');
}

/** Makes a part, and turns what it throws about its settings into a ConfigError. `setting`: the one to name, if any. */
export function checked<T>(make: () => T, setting?: string): T {
  try {
    return make();
  } catch (cause) {
    const text = hidePassword(cause instanceof Error ? cause.message : String(cause));
    throw new ConfigError(setting ? `${setting}: ${text}` : text, { cause });
  }
}
