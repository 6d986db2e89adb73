/** Encoded pictures that a request has as strings: they pass the same check as all others, for a header may announce any size. */
import type { CheckEncoded } from '../domain/picture.ts';
import { stringAt, stringCount } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';

/** Pictures in one tensor. */
export const MAX_PICTURES = 4096;

/** Checks each string of a tensor. Throws `body_too_large` for more than MAX_PICTURES, and the errors of `checkEncoded`. */
export function checkPictures(checkEncoded: CheckEncoded, tensor: Tensor | undefined, place: string): void {
  if (!tensor || !('offsets' in tensor)) return;
  const count = stringCount(tensor);
  if (count > MAX_PICTURES) {
    throw new GatewayError('body_too_large', `${place}: at most ${MAX_PICTURES} pictures in one request.`);
  }
  for (let index = 0; index < count; index += 1) checkEncoded(stringAt(tensor, index), `${place}[${index}]`);
}
