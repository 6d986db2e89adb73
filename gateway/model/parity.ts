/** Parity: replays the pictures next to model.yaml and compares tensors and scores with those of training. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Backend } from '../domain/backend.ts';
import type { Decode, Normalise } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { sendWhenFree } from './send-when-free.ts';
import type { Binding } from './signatures.ts';

/** For one proof: all pictures of a slow model, on a server that is busy with clients' requests. */
export const PROOF_TIMEOUT_MS = 120_000;

/**
 * proven: tensors and scores are those of training. differing: they are not. unproven: this version has nothing to
 * compare with.
 */
export type Parity = { readonly state: 'proven' | 'unproven' | 'differing'; readonly detail: string };

export type ParityParts = {
  readonly backend: Backend;
  readonly decode: Decode;
  readonly normalise: Normalise;
};

/**
 * `sha256`: of training's tensor in the dtype of the input, or of the encoded picture. `pixels_sha256`: of the uint8 tensor,
 * for a signature that normalises itself.
 */
const sample = z.object({ file: z.string(), sha256: z.string(), pixels_sha256: z.string().optional() });
const tensorsFile = z.object({ samples: z.array(sample).min(1) });
const scoresFile = z.object({ tolerance: z.number().positive(), scores: z.record(z.string(), z.array(z.number())) });

/**
 * Proves one version. The tensor of each picture in `parity/tensors.json` must have the hash recorded for its dtype.
 * The scores must match `parity/VERSION.json` within its tolerance. Throws when the model server fails.
 */
export async function proveParity(binding: Binding, parts: ParityParts, context: RequestContext): Promise<Parity> {
  const folder = path.join(binding.card.folder, 'parity');
  const tensors = await readJson(path.join(folder, 'tensors.json'), tensorsFile);
  const expected = await readJson(path.join(folder, `${binding.version}.json`), scoresFile);
  if (!tensors || !expected) {
    const missing = tensors ? `parity/${binding.version}.json` : 'parity/tensors.json';
    return { state: 'unproven', detail: `version ${binding.version} has no ${missing}` };
  }
  const field = binding.input.dtype === 'DT_UINT8' ? 'pixels_sha256' : 'sha256';
  for (const { file, [field]: wanted } of tensors.samples) {
    if (wanted === undefined) return { state: 'unproven', detail: `parity/tensors.json has no ${field} of ${file}` };
    const { hash, scores } = await replay(path.join(folder, file), binding, parts, context);
    if (hash !== wanted) return differing(file, `its tensor has ${field} ${hash}, training had ${wanted}`);
    const trained = expected.scores[file] ?? [];
    const difference = Math.max(...scores.map((score, index) => Math.abs(score - (trained[index] ?? Number.NaN))));
    if (scores.length !== trained.length || !(difference <= expected.tolerance)) {
      return differing(file, `its scores differ by ${difference}, allowed are ${expected.tolerance}`);
    }
  }
  return { state: 'proven', detail: `${tensors.samples.length} pictures give training's tensors and scores` };
}

function differing(file: string, why: string): Parity {
  return { state: 'differing', detail: `parity/${file}: ${why}` };
}

async function replay(
  file: string,
  binding: Binding,
  { backend, decode, normalise }: ParityParts,
  context: RequestContext,
) {
  const { card, version, input, output } = binding;
  const servable = { model: card.name, version };
  const call = backend.prepare({ servable, signature: card.signature, input }, 1);
  const bytes = await readFile(file);
  let sent: Uint8Array = bytes;
  if ('encoded' in card.image) call.setString(0, bytes);
  else {
    normalise(await decode(bytes, card.image, path.basename(file), context), card.image, call.tensor);
    const { buffer, byteOffset, byteLength } = call.tensor;
    sent = new Uint8Array(buffer, byteOffset, byteLength);
  }
  const hash = createHash('sha256').update(sent).digest('hex');
  const { outputs } = await sendWhenFree(call, context);
  return { hash, scores: Array.from(outputs.get(output)?.values ?? []) };
}

/** Undefined when the file does not exist. Throws for a file that is not valid. */
async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
