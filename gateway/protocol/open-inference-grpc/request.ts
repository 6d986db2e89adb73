/** Reads a ModelInferRequest for a model: its tensors by the signature, or its pictures. */
import { GatewayError } from '../../errors.ts';
import { type InferBody, readInputs, refuseUnoffered } from '../../open-inference/inputs.ts';
import { type Contents, placeOf } from '../../open-inference/message.ts';
import { rawContents } from '../../open-inference/raw-contents.ts';
import type { Routed } from '../../pipeline/signature.ts';
import { readNumberContents, readStringContents } from '../../tensor/infer-contents.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';
import type { ModelInferRequest } from './message.ts';

/** Throws `invalid_request` and `invalid_tensor` with the input. */
export async function readBody(request: ModelInferRequest, routed: Routed): Promise<InferBody> {
  const { inputs, raw } = request;
  refuseUnoffered(request);
  if (raw.length > 0 && raw.length !== inputs.length) {
    const detail = `raw_input_contents: expected one for each of ${inputs.length} inputs, got ${raw.length}.`;
    throw new GatewayError('invalid_request', detail);
  }
  const received = inputs.map((input, index) => {
    const place = placeOf(input.name, index);
    const bytes = raw[index];
    const contents = bytes
      ? rawContents(bytes, { place, shape: input.shape })
      : listContents(input.lists, { place, shape: input.shape });
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
