/** Finds the signature that a request or model.yaml names. */
import type { Metadata } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** Throws `invalid_request` with the names of the signatures. */
export function signatureOf({ signatures }: Metadata, name: string): Signature {
  const signature = signatures.get(name);
  if (signature) return signature;
  const known = [...signatures.keys()].join(', ') || 'none';
  throw new GatewayError('invalid_request', `signature: no ${name.slice(0, 80)} in this version; it has ${known}`);
}
