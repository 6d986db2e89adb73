/** Reads a request for a version: its tensors by the signature, or its pictures. */
import type { Instance } from '../domain/picture.ts';
import { elementCount, hasShape } from '../domain/shape.ts';
import { stringsOf } from '../domain/strings.ts';
import type { Signature, Tensor, TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { type ExplainOptions, readOptions } from '../explain/options.ts';
import { MAX_PICTURES } from '../pipeline/encoded-pictures.ts';
import { type Routed, signatureOf, usualSignature } from '../pipeline/signature.ts';
import { BYTES, datatypeOf, dtypeOf } from '../tensor/datatype.ts';
import { wantedClasses } from './best-classes.ts';
import { type InferInput, type InferMessage, type Parameters, placeOf, wrongTensor } from './message.ts';

/** Extensions of Triton that change what a request means. Ignored, they would give other answers than were asked for. */
const UNOFFERED = ['shared_memory_region', 'sequence_id'];
/** The parameter that names the signature. */
export const SIGNATURE_NAME = 'signature_name';
/** The parameter that asks for the outputs of outliers.ts. */
export const OUTLIER = 'outlier';

export type InferBody = {
  readonly signature: string;
  /** The names of the wanted outputs. Undefined: all. */
  readonly outputs: readonly string[] | undefined;
  /** The number of classes wanted of an output, in place of its elements. */
  readonly classes: ReadonlyMap<string, number>;
  /** The parameter that asks how unusual each row is. */
  readonly outlier: string | undefined;
  /** Whether and how each row is explained. */
  readonly explain: ExplainOptions | undefined;
} & (
  | { readonly kind: 'pictures'; readonly instances: readonly Instance[] }
  | { readonly kind: 'tensors'; readonly inputs: ReadonlyMap<string, Tensor>; readonly rows: number }
);

/**
 * Reads the inputs by the signature of the version. Strings for the image input of an image model are encoded pictures.
 * Throws `invalid_request` and `invalid_tensor` with the input.
 */
export async function readInputs(message: InferMessage, routed: Routed): Promise<InferBody> {
  const signature = signatureNameOf(message, routed);
  const outputs = message.outputs.length > 0 ? message.outputs.map(({ name }) => name) : undefined;
  const classes = wantedClasses(message.outputs);
  const wanted = { signature, outputs, classes, outlier: outlierOf(message), explain: explainOf(message) };
  const inputs = message.inputs.map((input, index): Placed => ({ ...input, place: placeOf(input.name, index) }));
  const picture = signature === routed.card.signature ? pictureInput(inputs, routed) : undefined;
  if (picture) return { kind: 'pictures', ...wanted, instances: await readPictures(picture) };
  const tensors = await readTensors(inputs, signatureOf(routed.metadata, signature));
  const rows = Math.max(1, ...tensors.values().map(({ shape }) => shape[0] ?? 1));
  return { kind: 'tensors', ...wanted, inputs: tensors, rows };
}

type Parts = Pick<InferMessage, 'parameters' | 'outputs'> & {
  readonly inputs: readonly { readonly parameters: Parameters }[];
};
type Placed = InferInput & { readonly place: string };

/** Throws `invalid_request` for a parameter that asks for what is not offered. Call it before the inputs are read. */
export function refuseUnoffered({ parameters, inputs, outputs }: Parts): void {
  const given = [parameters, ...[...inputs, ...outputs].map((one) => one.parameters)];
  const unoffered = UNOFFERED.find((name) => given.some((one) => one.has(name)));
  if (unoffered === undefined) return;
  const detail = `parameters.${unoffered}: is not offered here; send and take whole tensors.`;
  throw new GatewayError('invalid_request', detail);
}

/** Throws `invalid_request` for a value that is no boolean. */
function outlierOf({ parameters }: Pick<InferMessage, 'parameters'>): string | undefined {
  const given = parameters.get(OUTLIER) ?? false;
  if (typeof given === 'boolean') return given ? `parameters.${OUTLIER}` : undefined;
  throw new GatewayError('invalid_request', `parameters.${OUTLIER}: needs true or false.`);
}

/** Throws `invalid_request` for a value that does not fit, and for a PNG, which the protocol has no place for. */
function explainOf({ parameters }: Pick<InferMessage, 'parameters'>): ExplainOptions | undefined {
  const options = readOptions(Object.fromEntries(parameters), 'parameters.');
  if (options?.format !== 'png') return options;
  throw new GatewayError('invalid_request', 'parameters.explain.format: png is not offered here; leave it out.');
}

function signatureNameOf({ parameters }: InferMessage, { card, metadata }: Routed): string {
  const given = parameters.get(SIGNATURE_NAME) ?? usualSignature(card, metadata);
  if (typeof given === 'string') return given;
  throw new GatewayError('invalid_request', `parameters.${SIGNATURE_NAME}: needs a string.`);
}

/** The input with encoded pictures, if the model takes images and this is its only input. */
function pictureInput(inputs: readonly Placed[], { binding }: Routed): Placed | undefined {
  const [only] = inputs;
  const isPicture = only?.datatype === BYTES && inputs.length === 1 && only.name === binding?.input.name;
  return isPicture ? only : undefined;
}

async function readPictures(input: Placed): Promise<Instance[]> {
  const count = countOf(input);
  if (count === 0) throw wrongTensor(input.place, 'needs at least one picture');
  if (count > MAX_PICTURES) throw wrongTensor(input.place, `at most ${MAX_PICTURES} pictures in one request`);
  return stringsOf(await input.contents.strings(count)).map((bytes, index) => ({
    kind: 'bytes',
    bytes,
    field: `${input.place}[${index}]`,
  }));
}

async function readTensors(inputs: readonly Placed[], signature: Signature): Promise<ReadonlyMap<string, Tensor>> {
  const known = signature.inputs.map(({ name }) => name).join(', ') || 'none';
  const tensors = new Map<string, Tensor>();
  for (const input of inputs) {
    const info = signature.inputs.find(({ name }) => name === input.name);
    if (!info) throw new GatewayError('invalid_request', `${input.place}: no such input; the model has ${known}.`);
    if (tensors.has(input.name)) throw new GatewayError('invalid_request', `${input.place}: send it once.`);
    tensors.set(input.name, await readTensor(input, info));
  }
  const missing = signature.inputs.find(({ name }) => !tensors.has(name));
  if (!missing) return tensors;
  throw new GatewayError('invalid_request', `inputs: ${missing.name} is missing; the model has ${known}.`);
}

async function readTensor(input: Placed, { dtype, shape: expected }: TensorInfo): Promise<Tensor> {
  const { datatype, shape, contents, place } = input;
  const given = dtypeOf(datatype);
  if (given === undefined || given !== dtype) {
    throw wrongTensor(place, `datatype: expected ${datatypeOf(dtype)}, got ${datatype.slice(0, 20) || 'none'}`);
  }
  if (expected && !hasShape(shape, expected)) {
    throw wrongTensor(place, `shape: expected [${expected.map((size) => (size < 0 ? 'n' : size))}], got [${shape}]`);
  }
  if (given === 'DT_STRING') return contents.strings(countOf(input));
  return { dtype: given, shape, bytes: await contents.numbers(given, countOf(input)) };
}

/** The elements of the shape. */
function countOf({ shape, place }: Placed): number {
  const count = elementCount(shape);
  if (Number.isSafeInteger(count) && shape.every((size) => size >= 0)) return count;
  throw wrongTensor(place, `shape: [${shape}] has no number of elements`);
}
