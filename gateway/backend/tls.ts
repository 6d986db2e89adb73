/** The certificates that the connection to the model servers is made with. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** TLS to the model servers, in PEM. */
export type BackendTls = {
  /** The authorities that may have signed the servers' certificates. */
  readonly ca: Buffer;
  /** What the gateway shows where servers want to know who asks (mTLS). */
  readonly identity?: { readonly key: Buffer; readonly cert: Buffer };
};

/** The files as the settings name them. */
export type TlsFiles = {
  readonly tfServingCaFile?: string | undefined;
  readonly tfServingCertFile?: string | undefined;
  readonly tfServingKeyFile?: string | undefined;
};

/**
 * Reads the files, once: a certificate that was renewed is used from the next start on. Undefined where none is set.
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
  if (certFile === undefined || keyFile === undefined) return { ca };
  const cert = readPem('TF_SERVING_CERT_FILE', certFile, (pem) => new X509Certificate(pem));
  const key = readPem('TF_SERVING_KEY_FILE', keyFile, (pem) => {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(pem)))
      throw new Error('another certificate has it');
  });
  return { ca, identity: { cert, key } };
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
