/** Reads a ModelInferRequest for a model: its tensors by the signature, or its pictures. */

import { ELEMENTS } from '../../domain/elements.ts';
import type { Instance } from '../../domain/picture.ts';
import type { AskedServable } from '../../domain/servable.ts';
import { elementCount } from '../../domain/shape.ts';
import type { Signature, Tensor, TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { type Routed, signatureOf, usualSignature } from '../../pipeline/signature.ts';
import { BYTES, datatypeOf, dtypeOf } from '../../tensor/datatype.ts';
import { readNumberContents, readStringContents } from '../../tensor/infer-contents.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';
import { splitPrefixed } from '../../tensor/prefixed-strings.ts';
import type { InferInput, InferMessage, Parameters } from './message.ts';

/** Strings of one request. Each of them becomes an object. */
export const MAX_STRINGS = 2 ** 15;

/** Extensions of Triton that change what a tensor means. Ignored, they would give other answers than were asked for. */
const UNOFFERED = ['shared_memory_region', 'classification'];
/** The parameter that names the signature. */
const SIGNATURE_NAME = 'signature_name';

/** The servable by its name and version. Throws `invalid_request` for a version that is no number. */
export function servableOf({ model, version }: { readonly model: string; readonly version: string }): AskedServable & {
  readonly model: string;
} {
  if (model === '') throw new GatewayError('invalid_request', 'model_name: is missing; send the name of a model.');
  if (version === '') return { model };
  const number = Number(version);
  if (/^\d+$/.test(version) && Number.isSafeInteger(number)) return { model, version: number };
  throw new GatewayError('invalid_request', `model_version: ${version.slice(0, 80)} is not the number of a version.`);
}

export type InferBody = {
  readonly signature: string;
  /** The names of the wanted outputs. Undefined: all. */
  readonly outputs: readonly string[] | undefined;
} & (
  | { readonly kind: 'pictures'; readonly instances: readonly Instance[] }
  | { readonly kind: 'tensors'; readonly inputs: ReadonlyMap<string, Tensor>; readonly rows: number }
);

/**
 * Reads the inputs by the signature of the version. Strings for the image input of an image model are encoded pictures.
 * Throws `invalid_request` and `invalid_tensor` with the input.
 */
export async function readBody(message: InferMessage, routed: Routed): Promise<InferBody> {
  const { inputs, raw } = message;
  refuseUnoffered(message);
  if (raw.length > 0 && raw.length !== inputs.length) {
    const detail = `raw_input_contents: expected one for each of ${inputs.length} inputs, got ${raw.length}.`;
    throw new GatewayError('invalid_request', detail);
  }
  const signature = signatureNameOf(message, routed);
  const outputs = message.outputs.length > 0 ? message.outputs.map(({ name }) => name) : undefined;
  const received = inputs.map(
    (input, index): Received => ({ ...input, raw: raw[index], place: placeOf(input, index) }),
  );
  try {
    const picture = signature === routed.card.signature ? pictureInput(received, routed) : undefined;
    if (picture) return { kind: 'pictures', signature, outputs, instances: readPictures(picture) };
    const tensors = await readTensors(received, signatureOf(routed.metadata, signature));
    const rows = Math.max(1, ...tensors.values().map(({ shape }) => shape[0] ?? 1));
    return { kind: 'tensors', signature, outputs, inputs: tensors, rows };
  } catch (thrown) {
    throw asInvalidMessage(thrown, 'ModelInferRequest');
  }
}

type Received = InferInput & { readonly raw: Uint8Array | undefined; readonly place: string };

function placeOf({ name }: InferInput, index: number): string {
  return name === '' ? `inputs[${index}]` : `inputs[${index}] (${name.slice(0, 80)})`;
}

function refuseUnoffered({ inputs, outputs }: InferMessage): void {
  const given: readonly Parameters[] = [...inputs, ...outputs].map(({ parameters }) => parameters);
  const unoffered = UNOFFERED.find((name) => given.some((parameters) => parameters.has(name)));
  if (unoffered === undefined) return;
  throw new GatewayError(
    'invalid_request',
    `parameters.${unoffered}: is not offered here; send and take whole tensors.`,
  );
}

function signatureNameOf({ parameters }: InferMessage, { card, metadata }: Routed): string {
  const given = parameters.get(SIGNATURE_NAME) ?? usualSignature(card, metadata);
  if (typeof given === 'string') return given;
  throw new GatewayError('invalid_request', `parameters.${SIGNATURE_NAME}: needs a string.`);
}

/** The input with encoded pictures, if the model takes images and this is its only input. */
function pictureInput(received: readonly Received[], { binding }: Routed): Received | undefined {
  const [only] = received;
  const isPicture = only?.datatype === BYTES && received.length === 1 && only.name === binding?.input.name;
  return isPicture ? only : undefined;
}

function readPictures(input: Received): Instance[] {
  const strings = readStrings(input);
  if (strings.length === 0) throw wrong(input, 'needs at least one picture');
  return strings.map((bytes, index) => ({ kind: 'bytes', bytes, field: `${input.place}[${index}]` }));
}

async function readTensors(received: readonly Received[], signature: Signature): Promise<ReadonlyMap<string, Tensor>> {
  const known = signature.inputs.map(({ name }) => name).join(', ') || 'none';
  const tensors = new Map<string, Tensor>();
  for (const input of received) {
    const info = signature.inputs.find(({ name }) => name === input.name);
    if (!info) throw new GatewayError('invalid_request', `${input.place}: no such input; the model has ${known}.`);
    if (tensors.has(input.name)) throw new GatewayError('invalid_request', `${input.place}: send it once.`);
    tensors.set(input.name, await readTensor(input, info));
  }
  const missing = signature.inputs.find(({ name }) => !tensors.has(name));
  if (!missing) return tensors;
  throw new GatewayError('invalid_request', `inputs: ${missing.name} is missing; the model has ${known}.`);
}

async function readTensor(input: Received, { dtype, shape: expected }: TensorInfo): Promise<Tensor> {
  const { datatype, shape, raw, contents = new Uint8Array(), place } = input;
  const given = dtypeOf(datatype);
  if (given === undefined || given !== dtype) {
    throw wrong(input, `datatype: expected ${datatypeOf(dtype)}, got ${datatype.slice(0, 20) || 'none'}`);
  }
  if (
    expected &&
    !(expected.length === shape.length && expected.every((size, axis) => size < 0 || size === shape[axis]))
  ) {
    throw wrong(input, `shape: expected [${expected.map((size) => (size < 0 ? 'n' : size))}], got [${shape}]`);
  }
  if (given === 'DT_STRING') return { dtype: given, shape, strings: readStrings(input) };
  const count = countOf(input);
  if (!raw) return { dtype: given, shape, bytes: await readNumberContents({ bytes: contents, count, place }, given) };
  const bytes = count * ELEMENTS[given].BYTES_PER_ELEMENT;
  if (raw.length !== bytes) throw wrong(input, `expected ${bytes} bytes for the shape [${shape}], got ${raw.length}`);
  return { dtype: given, shape, bytes: raw };
}

function readStrings(input: Received): readonly Uint8Array[] {
  const { raw, contents = new Uint8Array(), place } = input;
  const count = countOf(input);
  if (count > MAX_STRINGS) throw wrong(input, `at most ${MAX_STRINGS} strings in one request; send fewer`);
  if (!raw) return readStringContents({ bytes: contents, count, place });
  const strings = splitPrefixed(raw, count);
  if (strings) return strings;
  throw wrong(input, `expected ${count} strings, each after its length in four bytes (little-endian)`);
}

/** The elements of the shape. */
function countOf(input: Received): number {
  const { shape } = input;
  const count = elementCount(shape);
  if (Number.isSafeInteger(count) && shape.every((size) => size >= 0)) return count;
  throw wrong(input, `shape: [${shape}] has no number of elements`);
}

function wrong({ place }: Received, text: string): GatewayError {
  return new GatewayError('invalid_tensor', `${place}: ${text}`);
}
