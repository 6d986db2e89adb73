/** The answers of the Open Inference Protocol over REST. */
import { inTurns } from '../../domain/steps.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { Predicted } from '../../open-inference/predict.ts';
import { datatypeOf } from '../../tensor/datatype.ts';
import { packTensor } from '../../tensor/packed.ts';
import { joinPrefixed } from '../../tensor/prefixed-strings.ts';
import { JSON_LENGTH } from './contents.ts';
import { type OutputText, text } from './infer-text.ts';

export function jsonAnswer(body: object): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

export type InferAnswer = Predicted & {
  readonly model: string;
  /** The request's. */
  readonly id: string | undefined;
  readonly isBinary: (output: string) => boolean;
};

/** Writes the outputs; binary data is not copied, but for strings. Throws `model_failed` for a type it cannot have. */
export async function renderInfer(
  write: JsonCodec['write'],
  { model, version, id, outputs, isBinary }: InferAnswer,
): Promise<Answer> {
  const binary: Uint8Array[] = [];
  const described: OutputText[] = [];
  for (const [name, tensor] of outputs) {
    const head = { name, datatype: datatypeIn(name, tensor), shape: tensor.shape };
    if (isBinary(name)) {
      const bytes = 'offsets' in tensor ? await inTurns(joinPrefixed(tensor)) : tensor.bytes;
      binary.push(bytes);
      described.push({ ...head, data: bytes.length });
    } else described.push({ ...head, data: packTensor(tensor) });
  }
  const json = await write({ model, version, id, outputs: described }, text);
  const named = { 'X-Model-Version': String(version) };
  if (binary.length === 0) {
    return { status: 200, headers: { 'Content-Type': 'application/json', ...named }, body: json };
  }
  const headers = { 'Content-Type': 'application/octet-stream', [JSON_LENGTH]: String(json.length), ...named };
  return { status: 200, headers, body: [json, ...binary] };
}

function datatypeIn(name: string, { dtype }: Tensor): string {
  const datatype = datatypeOf(dtype);
  if (datatype !== undefined) return datatype;
  throw new GatewayError('model_failed', `${name}: ${dtype} is no type of the Open Inference Protocol.`);
}
