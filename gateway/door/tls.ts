/** The TLS certificate of PORT and GRPC_PORT, reloaded when it is renewed. */
import { createSecureContext, type SecureVersion, type Server } from 'node:tls';
import type { Log } from '../domain/request.ts';
import { readSmallFileSync } from '../domain/small-file.ts';
import { type Reloading, reloading } from '../machine/reload.ts';

/** PEM files: the certificate with its chain, and the private key. */
export type CertificateFiles = {
  readonly certFile: string;
  readonly keyFile: string;
  /** Milliseconds between two checks for changes. */
  readonly pollMs?: number;
};
export type Certificate = { readonly cert: Buffer; readonly key: Buffer; readonly minVersion: SecureVersion };

/** Reads the files. Throws if one cannot be read, or if the key does not belong to the certificate. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  const certificate = { cert: read(certFile), key: read(keyFile), minVersion: 'TLSv1.2' as const };
  createSecureContext(certificate);
  return certificate;
}

function read(file: string): Buffer {
  try {
    return readSmallFileSync(file);
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Uses a renewed certificate (cert-manager, certbot) for new connections. Open connections keep the old one. */
export function renewCertificate(
  server: Pick<Server, 'setSecureContext'>,
  files: CertificateFiles,
  log: Log,
): Reloading<Certificate> {
  return reloading({
    files: [files.certFile, files.keyFile],
    load: () => readCertificate(files),
    onChange: (certificate) => server.setSecureContext(certificate),
    log,
    ...(files.pollMs !== undefined && { pollMs: files.pollMs }),
  });
}
