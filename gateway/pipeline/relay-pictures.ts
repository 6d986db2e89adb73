/** Encoded pictures in a request that is passed on: they are checked like all others before a model decodes them. */

import { bytesOf, type RoomyMessage } from '../domain/roomy-message.ts';
import { atOnce } from '../domain/steps.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { Routed } from '../model/route.ts';
import { FieldReader } from '../tensor/field-reader.ts';
import { asInvalidMessage } from '../tensor/malformed.ts';
import { readTensor } from '../tensor/tensor-proto.ts';
import { checkPictures, MAX_PICTURES } from './encoded-pictures.ts';
import type { Stages } from './stages.ts';

/** Fields of one request. */
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
    checkPictures(checkEncoded, tensorIn(bytesOf(rest), input.name), `inputs.${input.name}`);
  } catch (thrown) {
    const isMisfit = thrown instanceof GatewayError && thrown.kind === 'model_failed';
    if (isMisfit) throw new GatewayError('invalid_tensor', `inputs.${input.name}: its values do not fit its shape.`);
    throw asInvalidMessage(thrown, 'PredictRequest');
  }
}

/** An input of a PredictRequest. Throws `model_failed` for more strings than pictures may be. */
function tensorIn(request: Uint8Array, name: string): Tensor | undefined {
  const budget = { fields: MAX_FIELDS, elements: MAX_PICTURES };
  const at = new FieldReader(request, budget);
  let tensor: Tensor | undefined;
  while (at.next()) {
    if (at.field !== 2) continue;
    const entry = at.message;
    let key = '';
    let value = new Uint8Array();
    while (entry.next()) {
      if (entry.field === 1) key = entry.text;
      if (entry.field === 2) value = entry.bytes as typeof value;
    }
    if (key === name) tensor = atOnce(readTensor(value, budget));
  }
  return tensor;
}
