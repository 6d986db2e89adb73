/** Finds the signature that a request or model.yaml names. */
import type { Metadata } from '../domain/servable.ts';
import type { Signature } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { UNSERVED, unservedTensor } from './served-types.ts';

/** The signature that takes resized pictures as bytes, by the custom of this gateway's exports (serving/training/export.py). */
export const PIXEL_SIGNATURE = 'serving_uint8';

/** In model.yaml: PIXEL_SIGNATURE of each version that is proven with it, DEFAULT_SIGNATURE of all others. */
export const AUTO_SIGNATURE = 'auto';

/** The signature of requests that name none. A model without a model.yaml may have one signature under any name. */
export function usualSignature(
  { isDiscovered, signature }: { readonly isDiscovered?: true; readonly signature: string },
  { signatures }: Metadata,
): string {
  const [only = signature] = signatures.keys();
  return isDiscovered && signatures.size === 1 ? only : signature;
}

/** Throws `invalid_request` with the names of the signatures, or with the tensor whose type is not served. */
export function signatureOf({ signatures }: Metadata, name: string): Signature {
  const signature = signatures.get(name);
  if (signature) return checked(signature, name);
  const known = [...signatures.keys()].join(', ') || 'none';
  throw new GatewayError('invalid_request', `signature: no ${name.slice(0, 80)} in this version; it has ${known}`);
}

function checked(signature: Signature, name: string): Signature {
  const unserved = unservedTensor(signature);
  if (!unserved) return signature;
  throw new GatewayError(
    'invalid_request',
    `signature: ${name} has ${unserved.name} of ${unserved.dtype}: ${UNSERVED}`,
  );
}
