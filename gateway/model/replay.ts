/** Replays one picture of parity/: decodes it as a request's, and asks the model server for its scores. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Backend } from '../domain/backend.ts';
import { numbersOf } from '../domain/elements.ts';
import type { FillRow, FreeRows } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
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
    const { tensor } = call;
    const rows: FreeRows = { type: input.dtype, fill: (write) => void write(tensor) };
    await fillRow({ bytes, spec: image, field: path.basename(file) }, rows, context);
    sent = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  }
  const hash = createHash('sha256').update(sent).digest('hex');
  const { outputs } = await sendWhenFree(call, context);
  const tensor = outputs.get(output);
  return { hash, scores: tensor ? Array.from(numbersOf(tensor)) : [] };
}
