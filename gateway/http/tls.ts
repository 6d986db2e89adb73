/** TLS at the door: the certificate, and the new one when it is renewed. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureVersion } from 'node:tls';
import type { Log } from '../domain/request.ts';
import { type Reloading, reloading } from '../machine/reload.ts';

/** PEM files: the certificate with its chain, and the private key. */
export type TlsFiles = {
  readonly certFile: string;
  readonly keyFile: string;
  /** How often they are looked at. */
  readonly pollMs?: number;
};
export type Certificate = { readonly cert: Buffer; readonly key: Buffer; readonly minVersion: SecureVersion };

/** Reads the files. Throws for those that cannot be read or do not belong together. */
export function readCertificate({ certFile, keyFile }: TlsFiles): Certificate {
  const certificate = { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.2' as const };
  createSecureContext(certificate);
  return certificate;
}

/** Gives the server a renewed certificate (cert-manager, certbot) for its next connections; those open keep the old one. */
export function renewCertificate(server: Server, files: TlsFiles, log: Log): Reloading<Certificate> {
  return reloading({
    files: [files.certFile, files.keyFile],
    load: () => readCertificate(files),
    onChange: (certificate) => server.setSecureContext(certificate),
    log,
    ...(files.pollMs !== undefined && { pollMs: files.pollMs }),
  });
}
