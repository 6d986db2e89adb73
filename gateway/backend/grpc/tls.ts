/** The certificates that connections to the model servers are made with. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { experimental } from '@grpc/grpc-js';

/** In PEM. */
type Certificates = {
  /** The authorities that may have signed the servers' certificates. */
  readonly ca: Buffer;
  /** What the gateway shows where servers want to know who asks (mTLS). */
  readonly identity?: { readonly key: Buffer; readonly cert: Buffer };
};

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** What grpc-js asks for certificates: each connection is made with those of its time. */
export class BackendTls implements experimental.CertificateProvider {
  #certificates: Certificates;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  /** Whether the gateway shows a certificate of its own. */
  get hasIdentity(): boolean {
    return this.#certificates.identity !== undefined;
  }

  /** Takes the certificates of `renewed` for connections from now on; those open keep what they were made with. */
  renew(renewed: BackendTls): void {
    this.#certificates = renewed.#certificates;
    for (const listener of this.#caListeners) this.#tellCa(listener);
    for (const listener of this.#identityListeners) this.#tellIdentity(listener);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    this.#tellCa(listener);
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    this.#tellIdentity(listener);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #tellCa(listener: CaListener): void {
    listener({ caCertificate: this.#certificates.ca });
  }

  #tellIdentity(listener: IdentityListener): void {
    const { identity } = this.#certificates;
    listener(identity ? { certificate: identity.cert, privateKey: identity.key } : null);
  }
}

/** The files as the settings name them. */
export type TlsFiles = {
  readonly tfServingCaFile?: string | undefined;
  readonly tfServingCertFile?: string | undefined;
  readonly tfServingKeyFile?: string | undefined;
};

/**
 * Reads the files. Undefined where none is set.
 * Throws an Error that names the setting for a file that cannot be read or used, or that another one is missing beside.
 */
export function readTls(files: TlsFiles): BackendTls | undefined {
  const { tfServingCaFile: caFile, tfServingCertFile: certFile, tfServingKeyFile: keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Error('TF_SERVING_CERT_FILE and TF_SERVING_KEY_FILE: one needs the other');
  if (caFile === undefined) {
    if (certFile === undefined) return undefined;
    throw new Error('TF_SERVING_CERT_FILE: needs TF_SERVING_CA_FILE too, which turns TLS on');
  }
  const ca = readPem('TF_SERVING_CA_FILE', caFile, (pem) => new X509Certificate(pem));
  if (certFile === undefined || keyFile === undefined) return new BackendTls({ ca });
  const cert = readPem('TF_SERVING_CERT_FILE', certFile, (pem) => new X509Certificate(pem));
  const key = readPem('TF_SERVING_KEY_FILE', keyFile, (pem) => {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(pem)))
      throw new Error('another certificate has it');
  });
  return new BackendTls({ ca, identity: { cert, key } });
}

function readPem(setting: string, file: string, check: (pem: Buffer) => unknown): Buffer {
  try {
    const pem = readFileSync(file);
    check(pem);
    return pem;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Error(`${setting}=${file}: cannot be used: ${code === 'ENOENT' ? 'no such file' : message}`, { cause });
  }
}
