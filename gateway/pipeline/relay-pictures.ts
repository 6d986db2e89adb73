/** Encoded pictures in a request that is passed on: they are checked like all others before a model decodes them. */
import { bytesOf, type RoomyMessage } from '../domain/roomy-message.ts';
import { GatewayError } from '../errors.ts';
import type { Routed } from '../model/route.ts';
import { FieldReader } from '../tensor/field-reader.ts';
import { asInvalidMessage } from '../tensor/malformed.ts';
import { readTensor } from '../tensor/tensor-proto.ts';
import type { Stages } from './stages.ts';

/** Strings and fields of one request. Each picture is a string. */
const MAX_PICTURES = 4096;
const MAX_FIELDS = 2 ** 16;

type Pictured = {
  readonly method: string;
  readonly routed: Routed;
  readonly signature: string;
  readonly rest: RoomyMessage;
};

/** Checks the header of each picture where the model decodes them itself. Throws the errors of `checkEncoded`. */
export function checkEncodedInput(
  { checkEncoded }: Pick<Stages, 'checkEncoded'>,
  { method, routed, signature, rest }: Pictured,
): void {
  const { card, input } = routed.binding ?? {};
  if (method !== 'Predict' || !card || !input || signature !== card.signature || !('encoded' in card.image)) return;
  try {
    for (const [index, picture] of stringsOf(bytesOf(rest), input.name).entries()) {
      checkEncoded(picture, `inputs.${input.name}[${index}]`);
    }
  } catch (thrown) {
    const isMisfit = thrown instanceof GatewayError && thrown.kind === 'model_failed';
    if (isMisfit) throw new GatewayError('invalid_tensor', `inputs.${input.name}: its values do not fit its shape.`);
    throw asInvalidMessage(thrown, 'PredictRequest');
  }
}

/** The strings of an input of a PredictRequest. */
function stringsOf(request: Uint8Array, name: string): readonly Uint8Array[] {
  const budget = { fields: MAX_FIELDS, elements: MAX_PICTURES };
  const at = new FieldReader(request, budget);
  let strings: readonly Uint8Array[] = [];
  while (at.next()) {
    if (at.field !== 2) continue;
    const entry = at.message;
    let key = '';
    let value = new Uint8Array();
    while (entry.next()) {
      if (entry.field === 1) key = entry.text;
      if (entry.field === 2) value = entry.bytes as typeof value;
    }
    const tensor = key === name ? readTensor(value, budget) : undefined;
    if (tensor && 'strings' in tensor) strings = tensor.strings;
  }
  return strings;
}
