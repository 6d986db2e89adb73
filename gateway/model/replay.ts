/** Replays one picture of parity/: decodes it as a request's, and asks the model server for its scores. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Backend } from '../domain/backend.ts';
import { ELEMENTS, numbersOf } from '../domain/elements.ts';
import type { EncodedPicture, FillRow } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { elementCount } from '../domain/shape.ts';
import type { InputArray, PixelType } from '../domain/tensor.ts';
import { readSamplePicture } from './parity-files.ts';
import { sendWhenFree } from './send-when-free.ts';
import type { Binding } from './signatures.ts';

export type ReplayParts = {
  readonly backend: Backend;
  readonly fillRow: FillRow;
};

/** `hash`: SHA-256 of the tensor, or of the encoded picture, as it is sent. */
export type Replayed = { readonly hash: string; readonly scores: readonly number[] };

/** The field of parity/tensors.json that has the hash for the dtype of the input. */
export function hashField({ input }: Binding): 'pixels_sha256' | 'sha256' {
  return input.dtype === 'DT_UINT8' ? 'pixels_sha256' : 'sha256';
}

/** Throws when the picture cannot be decoded, and when the model server fails. */
export async function replay(
  file: string,
  binding: Binding,
  { backend, fillRow }: ReplayParts,
  context: RequestContext,
): Promise<Replayed> {
  const { card, signature, image, version, input, output, answer } = binding;
  const servable = { model: card.name, version };
  const call = backend.prepare({ servable, signature, input, answer }, 1);
  const bytes = await readSamplePicture(file);
  let sent: Uint8Array = bytes;
  if ('encoded' in image || input.dtype === 'DT_STRING') call.setString(0, bytes);
  else {
    const picture = { bytes, spec: image, field: path.basename(file) };
    sent = await filled(picture, { type: input.dtype, tensor: call.tensor }, fillRow, context);
  }
  const { outputs } = await sendWhenFree(call, context);
  const tensor = outputs.get(output);
  return { hash: sha256(sent), scores: tensor ? Array.from(numbersOf(tensor)) : [] };
}

/**
 * SHA-256 of the floats that model.yaml describes, for a binding that sends pixels in their place. Undefined for other
 * bindings. Throws when the picture cannot be decoded.
 */
export async function hashFloats(
  file: string,
  { card: { image }, input: { shape }, floatType }: Binding,
  { fillRow }: Pick<ReplayParts, 'fillRow'>,
  context: RequestContext,
): Promise<string | undefined> {
  if (!floatType || 'encoded' in image) return undefined;
  const picture = { bytes: await readSamplePicture(file), spec: image, field: path.basename(file) };
  const tensor = new ELEMENTS[floatType](elementCount(shape));
  return sha256(await filled(picture, { type: floatType, tensor }, fillRow, context));
}

type Row = { readonly type: PixelType; readonly tensor: InputArray };

/** The bytes of the tensor after the picture is written into it. */
async function filled(
  picture: EncodedPicture,
  { type, tensor }: Row,
  fillRow: FillRow,
  context: RequestContext,
): Promise<Uint8Array> {
  await fillRow(picture, { type, fill: (write) => void write(tensor) }, context);
  return new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
