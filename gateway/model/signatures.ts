/**
 * Matches a model.yaml with the server's signature: the input that takes the picture, the output that has the scores.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ExpectedAnswer, PredictTarget } from '../domain/backend.ts';
import type { EncodedSpec, ImageSpec } from '../domain/picture.ts';
import { neuronCounts } from '../domain/scores.ts';
import type { Metadata } from '../domain/servable.ts';
import type { DType, PixelType, Signature, TensorInfo } from '../domain/tensor.ts';
import type { ModelCard } from './card.ts';
import { expectedAnswer } from './expected-answer.ts';
import { AUTO_SIGNATURE, PIXEL_SIGNATURE } from './find-signature.ts';

/** A version that matches its model.yaml: all that a Predict call needs. */
export type Binding = {
  readonly card: ModelCard & Required<Pick<ModelCard, 'image' | 'classes'>>;
  readonly signature: string;
  /** How a picture becomes the input of this signature: model.yaml's, but for one that takes pixels. */
  readonly image: ImageSpec | EncodedSpec;
  readonly version: number;
  readonly input: PredictTarget['input'];
  /** Key of the output that holds the scores. */
  readonly output: string;
  readonly answer: ExpectedAnswer;
  /** Of a binding for pixels: the dtype of the floats that model.yaml describes. Parity compares those too. */
  readonly floatType?: PixelType;
};

/** model.yaml and the signature contradict each other. The message is one line that names both sides. */
export class SignatureMismatch extends Error {}

const MAX_TEXT_LENGTH = 2000;

/** An axis of any size, in TensorShapeProto. */
const ANY = -1;

export const SCORE_DTYPES: readonly DType[] = ['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF', 'DT_BFLOAT16'];

/** Finds the input and output of an image model in a version's metadata. Throws SignatureMismatch. */
export function bind(card: ModelCard, metadata: Metadata): Binding {
  const { image, classes } = card;
  if (!image || !classes) throw new SignatureMismatch(`model.yaml of ${card.name} has no image part`);
  const signature = findSignature(card, metadata);
  const input = findInput(card, metadata, signature);
  const shape = shapeOf(image);
  if (!fits(input.shape, [ANY, ...shape])) {
    const wanted = 'encoded' in image ? 'image.encoded ([n])' : `image of [n,${shape}] ${image.layout}`;
    throw mismatch(card, metadata, wanted, `has input ${describe(input)}`);
  }
  const batch = input.shape?.[0] ?? ANY;
  if (batch !== ANY && batch !== 1) {
    throw mismatch(card, metadata, 'an image', `takes exactly ${batch} at once: ${describe(input)}`);
  }
  const dtype = inputType(input.dtype, image);
  if (!dtype) throw mismatch(card, metadata, sentBy(image), `has input ${describe(input)}`);
  const output = findOutput(card, metadata, signature, classes.length);
  return {
    card: { ...card, image, classes },
    signature: card.signature,
    image,
    version: metadata.version,
    input: { name: input.name, dtype, shape, ...(batch === 1 && { isSingle: true }) },
    output: output.name,
    answer: expectedAnswer(signature, output, classes.length),
  };
}

/**
 * The binding by which a version takes resized pictures as bytes and scales them itself. Undefined where model.yaml names a
 * signature. Throws SignatureMismatch for a version that has no such signature, or another than for floats.
 */
export function bindPixels(card: ModelCard, metadata: Metadata): Binding | undefined {
  const { mayTakePixels, image, classes } = card;
  if (!mayTakePixels || !image || 'encoded' in image || !classes) return undefined;
  const pixels = { ...card, signature: PIXEL_SIGNATURE, image: { ...image, scale: 'none' } } as const;
  const signature = findSignature(pixels, metadata);
  const usual = findSignature(card, metadata);
  const interfaceOf = ({ inputs, outputs }: Signature) => [inputs.map(({ name }) => name), outputs];
  if (!isDeepStrictEqual(interfaceOf(signature), interfaceOf(usual))) {
    throw mismatch(
      pixels,
      metadata,
      `signature: ${AUTO_SIGNATURE}`,
      `has other names or outputs than ${card.signature}`,
    );
  }
  const binding = bind(pixels, metadata);
  const { name, dtype } = binding.input;
  if (dtype !== 'DT_UINT8')
    throw mismatch(pixels, metadata, `signature: ${AUTO_SIGNATURE}`, `has input ${name} ${dtype}`);
  const { dtype: floatType } = bind(card, metadata).input;
  if (floatType === 'DT_STRING') throw mismatch(card, metadata, sentBy(image), `takes ${floatType}`);
  return { ...binding, card: { ...card, image, classes }, floatType };
}

/** The card's signature in a version's metadata. Throws SignatureMismatch. */
export function findSignature(card: ModelCard, metadata: Metadata): Signature {
  const signature = metadata.signatures.get(card.signature);
  if (signature) return signature;
  const known = [...metadata.signatures.keys()].join(', ');
  throw mismatch(card, metadata, `signature: ${card.signature}`, `has ${known || 'none'}`);
}

/** An instance's shape, without the batch axis. An encoded picture is one string. */
function shapeOf(image: ImageSpec | EncodedSpec): number[] {
  if ('encoded' in image) return [];
  const [height, width] = image.size;
  const channels = image.color === 'rgb' ? 3 : 1;
  return image.layout === 'NHWC' ? [height, width, channels] : [channels, height, width];
}

const FLOATS: readonly PixelType[] = ['DT_FLOAT', 'DT_HALF', 'DT_BFLOAT16'];
const INTEGERS: readonly PixelType[] = ['DT_UINT8', 'DT_INT32'];

/** The dtype of the input where model.yaml's image can fill it: integers take pixels that are not scaled. */
function inputType(dtype: DType, image: ImageSpec | EncodedSpec): PredictTarget['input']['dtype'] | undefined {
  if ('encoded' in image) return dtype === 'DT_STRING' ? 'DT_STRING' : undefined;
  const types = image.scale === 'none' ? [...FLOATS, ...INTEGERS] : FLOATS;
  return types.find((type) => type === dtype);
}

/** What model.yaml's image makes, for error texts. */
function sentBy(image: ImageSpec | EncodedSpec): string {
  if ('encoded' in image) return 'image.encoded, which takes DT_STRING';
  const scale = typeof image.scale === 'string' ? image.scale : '{mean, std}';
  return `scale: ${scale} makes ${scale === 'none' ? [...FLOATS, ...INTEGERS].join(', ') : FLOATS.join(', ')}`;
}

function findInput(card: ModelCard, metadata: Metadata, { inputs }: Signature): TensorInfo {
  const wanted = card.image?.input;
  const found = wanted === undefined && inputs.length === 1 ? inputs[0] : inputs.find(({ name }) => name === wanted);
  if (found) return found;
  const known = `has inputs ${inputs.map(describe).join(', ') || 'none'}`;
  throw mismatch(card, metadata, wanted === undefined ? 'no image.input' : `image.input: ${wanted}`, known);
}

/**
 * The output that `output` names, else the only one with a number for each class, else the only one with one number for two
 * classes.
 */
export function findOutput(card: ModelCard, metadata: Metadata, { outputs }: Signature, classes: number): TensorInfo {
  const known = outputs.map(describe).join(', ') || 'none';
  const wanted = card.output;
  const candidates = outputs.filter(({ name }) => wanted === undefined || name === wanted);
  if (wanted !== undefined && candidates.length === 0) {
    throw mismatch(card, metadata, `output: ${wanted}`, `has outputs ${known}`);
  }
  for (const neurons of neuronCounts(classes, card.scores)) {
    const fitting = candidates.filter(({ dtype, shape }) => SCORE_DTYPES.includes(dtype) && holds(shape, neurons));
    if (fitting.length === 1 && fitting[0]) return fitting[0];
    if (fitting.length > 1) {
      const choice = `has more than one output of [n,${neurons}] among ${known}; choose with output: ${fitting[0]?.name}`;
      throw mismatch(card, metadata, `${classes} classes`, choice);
    }
  }
  const where = wanted === undefined ? '' : ` and output: ${wanted}`;
  throw mismatch(card, metadata, `${classes} classes${where}`, `has no output of [n,${classes}] among ${known}`);
}

/**
 * Whether a signature's shape (null: any rank) allows one row of `neurons` numbers for each instance. Axes of length 1 hold
 * nothing: [n], [n,1] and [n,1,1] have one number, [n,k], [n,1,k] and [n,k,1,1] have k.
 */
function holds(shape: readonly number[] | null, neurons: number): boolean {
  if (shape === null) return true;
  const [batch, ...axes] = shape;
  const known = axes.filter((size) => size !== 1 && size !== ANY);
  if (batch === undefined || known.length > 1) return false;
  return known[0] === neurons || (known.length === 0 && (neurons === 1 || axes.includes(ANY)));
}

/** Whether a signature's shape (null: any rank) allows the wanted shape. */
function fits(shape: readonly number[] | null, wanted: readonly number[]): boolean {
  if (shape === null) return true;
  return (
    shape.length === wanted.length &&
    shape.every((size, axis) => size === ANY || wanted[axis] === ANY || size === wanted[axis])
  );
}

export function describe({ name, dtype, shape }: TensorInfo): string {
  return `${name} ${dtype} ${shape === null ? 'of any shape' : `[${shape.map((size) => (size === ANY ? 'n' : size))}]`}`;
}

export function mismatch(card: ModelCard, { version }: Metadata, inCard: string, inServer: string): SignatureMismatch {
  const served = `version ${version} (signature ${card.signature})`;
  const text = `model.yaml of ${card.name} says ${inCard}, but ${served} ${inServer}`;
  // A server may list any number of signatures and tensors.
  return new SignatureMismatch(text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text);
}
