/** TLS certificates for the connections to the model servers. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { experimental } from '@grpc/grpc-js';
import { readSmallFileSync } from '../../domain/small-file.ts';

/** PEM contents. */
type Certificates = {
  /** The authorities trusted to sign the servers' certificates. */
  readonly ca: Buffer;
  /** The gateway's own certificate, for servers that require one (mTLS). */
  readonly identity?: { readonly key: Buffer; readonly cert: Buffer };
};

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** grpc-js' certificate provider: each new connection uses the current certificates. */
export class BackendTls implements experimental.CertificateProvider {
  #certificates: Certificates;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  /** Whether the gateway has a client certificate. */
  get hasIdentity(): boolean {
    return this.#certificates.identity !== undefined;
  }

  /** The certificates in the form of tls.connect. */
  get files(): { readonly ca: Buffer; readonly key?: Buffer; readonly cert?: Buffer } {
    const { ca, identity } = this.#certificates;
    return { ca, ...identity };
  }

  /** Uses the certificates of `renewed` for new connections; open connections keep theirs. */
  renew(renewed: BackendTls): void {
    this.#certificates = renewed.#certificates;
    for (const listener of this.#caListeners) this.#notifyCa(listener);
    for (const listener of this.#identityListeners) this.#notifyIdentity(listener);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    this.#notifyCa(listener);
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    this.#notifyIdentity(listener);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #notifyCa(listener: CaListener): void {
    listener({ caCertificate: this.#certificates.ca });
  }

  #notifyIdentity(listener: IdentityListener): void {
    const { identity } = this.#certificates;
    listener(identity ? { certificate: identity.cert, privateKey: identity.key } : null);
  }
}

/** The paths in the settings. */
export type BackendTlsFiles = {
  readonly tfServingCaFile?: string | undefined;
  readonly tfServingCertFile?: string | undefined;
  readonly tfServingKeyFile?: string | undefined;
};

/**
 * Reads the certificate files. Returns undefined if none is set.
 * Throws an Error that names the setting if a file cannot be used, or if another setting is missing.
 */
export function readTls(files: BackendTlsFiles): BackendTls | undefined {
  const { tfServingCaFile: caFile, tfServingCertFile: certFile, tfServingKeyFile: keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Error('TF_SERVING_CERT_FILE and TF_SERVING_KEY_FILE: set both, or neither');
  if (caFile === undefined) {
    if (certFile === undefined) return undefined;
    throw new Error('TF_SERVING_CERT_FILE: set TF_SERVING_CA_FILE too, which turns TLS on');
  }
  const ca = readPem('TF_SERVING_CA_FILE', caFile, (pem) => new X509Certificate(pem));
  if (certFile === undefined || keyFile === undefined) return new BackendTls({ ca });
  const cert = readPem('TF_SERVING_CERT_FILE', certFile, (pem) => new X509Certificate(pem));
  const key = readPem('TF_SERVING_KEY_FILE', keyFile, (pem) => {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(pem)))
      throw new Error('it does not match TF_SERVING_CERT_FILE');
  });
  return new BackendTls({ ca, identity: { cert, key } });
}

function readPem(setting: string, file: string, check: (pem: Buffer) => unknown): Buffer {
  try {
    const pem = readSmallFileSync(file);
    check(pem);
    return pem;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${setting}=${file}: cannot be used: ${why}`, { cause });
  }
}
