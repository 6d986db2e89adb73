/** Reads a ModelInferRequest for a model: its tensors by the signature, or its pictures. */
import { stringTensor } from '../../domain/strings.ts';
import { GatewayError } from '../../errors.ts';
import { EXPLAIN_NAMES } from '../../explain/options.ts';
import { type InferBody, OUTLIER, readInputs, refuseUnoffered } from '../../open-inference/inputs.ts';
import { type Contents, placeOf } from '../../open-inference/message.ts';
import { rawContents } from '../../open-inference/raw-contents.ts';
import type { Routed } from '../../pipeline/signature.ts';
import { BYTES } from '../../tensor/datatype.ts';
import { readNumberContents, readStringContents } from '../../tensor/infer-contents.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';
import type { ModelInferRequest } from './message.ts';

/** Throws `invalid_request` and `invalid_tensor` with the input. */
export function readBody(request: ModelInferRequest, routed: Routed): Promise<InferBody> {
  return readWith(request, routed, ({ lists, place, shape }, raw) =>
    raw ? rawContents(raw, { place, shape }) : listContents(lists, { place, shape }),
  );
}

/** Whether a request may pass to the model servers as it is: they speak the protocol, and need no pictures. */
export function isRelayed({ inputs, parameters }: ModelInferRequest, { metadata, binding }: Routed): boolean {
  // A picture as BYTES is decoded here, or its header is checked.
  const hasStrings = inputs.some(({ datatype }) => datatype === BYTES);
  const isPlain = parameters.get(OUTLIER) !== true && !EXPLAIN_NAMES.some((name) => parameters.has(name));
  return metadata.protocol === 'open-inference' && !(binding && hasStrings) && isPlain;
}

/**
 * Checks a request that passes as it is, by the signature: names, datatypes, shapes and the length of raw numbers. Its tensors
 * are not decoded, and have no content in the result. Throws as `readBody`.
 */
export function checkBody(request: ModelInferRequest, routed: Routed): Promise<InferBody> {
  const nothing = { numbers: () => new Uint8Array(), strings: () => stringTensor([], []) };
  return readWith(request, routed, ({ place, shape }, raw) =>
    raw ? { ...nothing, numbers: rawContents(raw, { place, shape }).numbers } : nothing,
  );
}

type Placed = ModelInferRequest['inputs'][number] & { readonly place: string };

async function readWith(
  request: ModelInferRequest,
  routed: Routed,
  contentsOf: (input: Placed, raw: Uint8Array | undefined) => Contents,
): Promise<InferBody> {
  const { inputs, raw } = request;
  refuseUnoffered(request);
  if (raw.length > 0 && raw.length !== inputs.length) {
    const detail = `raw_input_contents: expected one for each of ${inputs.length} inputs, got ${raw.length}.`;
    throw new GatewayError('invalid_request', detail);
  }
  const received = inputs.map((input, index) => {
    const contents = contentsOf({ ...input, place: placeOf(input.name, index) }, raw[index]);
    return { ...input, contents };
  });
  try {
    return await readInputs({ ...request, inputs: received }, routed);
  } catch (thrown) {
    throw asInvalidMessage(thrown, 'ModelInferRequest');
  }
}

/** Contents that are a serialized InferTensorContents. */
function listContents(
  bytes: Uint8Array = new Uint8Array(),
  { place, shape }: { readonly place: string; readonly shape: readonly number[] },
): Contents {
  return {
    numbers: (dtype, count) => readNumberContents({ bytes, count, place }, dtype),
    strings: (count) => readStringContents({ bytes, count, place }, shape),
  };
}
