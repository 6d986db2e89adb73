/** The files in parity/ beside model.yaml: pictures, the hashes of their tensors, and the scores of each version. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { FileError, readSmallFile } from '../domain/small-file.ts';
import { GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { imageSchema } from './card-schema.ts';

/**
 * `sha256`: of the tensor in the dtype of the input, or of the encoded picture. `pixels_sha256`: of the uint8 tensor, for a
 * signature that normalises itself.
 */
const sample = z.object({ file: z.string(), sha256: z.string().optional(), pixels_sha256: z.string().optional() });

/**
 * The source of the tensors. `training`: the code of the training. `model.yaml`: `make convert`, which reads pictures as
 * model.yaml says. `confirmed`: the same, after a person has confirmed model.yaml by `tensorgate models prove`.
 */
const source = z.enum(['training', 'model.yaml', 'confirmed']).default('training');

/** `image`: the part of model.yaml that the tensors follow. Not for the source training. */
const tensorsFile = z.object({ source, image: z.unknown().optional(), samples: z.array(sample).min(1) });
const scoresFile = z.object({ tolerance: z.number().positive(), scores: z.record(z.string(), z.array(z.number())) });

/** MAX_IMAGE_BYTES holds too, when the picture is decoded. */
const MAX_PICTURE_BYTES = 64 * 2 ** 20;

export type TensorsFile = z.output<typeof tensorsFile>;
export type ScoresFile = z.output<typeof scoresFile>;

/** `parity/tensors.json`. Undefined when it does not exist. @throws GatewayError when it cannot be used. */
export function readTensorsFile(folder: string): Promise<TensorsFile | undefined> {
  return readJson(path.join(folder, 'parity', 'tensors.json'), tensorsFile);
}

/** `parity/VERSION.json`. Undefined when it does not exist. @throws GatewayError when it cannot be used. */
export function readScoresFile(folder: string, version: number): Promise<ScoresFile | undefined> {
  return readJson(path.join(folder, 'parity', `${version}.json`), scoresFile);
}

/** Whether model.yaml reads pictures in another way than the tensors follow. */
export function followsOther({ source, image }: TensorsFile, card: ModelCard): boolean {
  if (source === 'training') return false;
  const parsed = imageSchema.safeParse(image);
  return !parsed.success || !isDeepStrictEqual(parsed.data, card.image);
}

/** The picture of a sample. @throws GatewayError when it cannot be read. */
export async function readSamplePicture(file: string): Promise<Uint8Array> {
  try {
    return await readSmallFile(file, MAX_PICTURE_BYTES);
  } catch (cause) {
    throw unusable(file, cause);
  }
}

/** The state of the model shows the text: the file's name, and what is wrong with it. */
function unusable(file: string, cause: unknown): GatewayError {
  const why =
    cause instanceof FileError ? cause.message : cause instanceof SyntaxError ? 'is not JSON' : 'is not valid';
  return new GatewayError('model_failed', `parity/${path.basename(file)}: ${why}`, { cause });
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse((await readSmallFile(file)).toString()));
  } catch (cause) {
    if (cause instanceof FileError && cause.code === 'ENOENT') return undefined;
    throw unusable(file, cause);
  }
}
