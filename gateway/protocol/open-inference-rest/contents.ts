/** The elements of inputs: in JSON, or in the binary data behind it, one input after the other. */
import type { StringTensor, Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { type Contents, type InferInput, placeOf, wrongTensor } from '../../open-inference/message.ts';
import { rawContents } from '../../open-inference/raw-contents.ts';
import type { JsonInput } from './json-body.ts';

/** The header with the length of the JSON in a body with binary data. */
export const JSON_LENGTH = 'Inference-Header-Content-Length';

/**
 * Gives each input its elements. `binary`: what is behind the JSON; undefined without the header that tells where it begins.
 * Nothing is copied. Throws `invalid_tensor` and `invalid_request` where the sizes do not fit.
 */
export function withContents(inputs: readonly JsonInput[], binary: Uint8Array | undefined): readonly InferInput[] {
  let rest = binary ?? new Uint8Array();
  const received = inputs.map(({ data, ...input }, index): InferInput => {
    const place = placeOf(input.name, index);
    const size = input.parameters.get('binary_data_size');
    if (size === undefined) {
      if (data) return { ...input, contents: jsonContents(data) };
      throw wrongTensor(place, 'has no data; send data, or parameters.binary_data_size and the bytes behind the JSON');
    }
    if (data) throw wrongTensor(place, 'has both data and parameters.binary_data_size; send one of them');
    const bytes = rest.subarray(0, checkedSize(size, { place, left: rest.length, hasHeader: binary !== undefined }));
    rest = rest.subarray(bytes.length);
    return { ...input, contents: rawContents(bytes, { place, shape: input.shape }) };
  });
  if (rest.length === 0) return received;
  throw new GatewayError(
    'invalid_request',
    `body: ${rest.length} bytes are left behind the binary data of the inputs.`,
  );
}

type Body = { readonly place: string; readonly left: number; readonly hasHeader: boolean };

function checkedSize(size: boolean | number | string, { place, left, hasHeader }: Body): number {
  const of = `${place}.parameters.binary_data_size`;
  if (!hasHeader) throw wrongTensor(of, `needs the header ${JSON_LENGTH}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw wrongTensor(of, `needs a whole number of bytes, got ${JSON.stringify(size).slice(0, 40)}`);
  }
  if (size <= left) return size;
  throw wrongTensor(of, `${size}, but ${left} bytes are left of the body`);
}

/** Elements whose datatype and shape were checked when they were read. */
function jsonContents(data: Tensor): Contents {
  return {
    numbers: () => data.bytes,
    strings: () => data as StringTensor,
  };
}
