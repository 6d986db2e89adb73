/** Predict for model servers of another protocol: the tensors of a PredictRequest are read, and those of the answer written. */
import { bytesOf, type RoomyMessage } from '../../domain/roomy-message.ts';
import { hasShape } from '../../domain/shape.ts';
import { inTurns, type Steps } from '../../domain/steps.ts';
import { stringCount } from '../../domain/strings.ts';
import type { Signature, Tensor, TensorInfo } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { BackwardWriter } from '../../tensor/backward-writer.ts';
import { FieldReader } from '../../tensor/field-reader.ts';
import { asInvalidMessage } from '../../tensor/malformed.ts';
import { message } from '../../tensor/message.ts';
import { readTensor, type TensorBudget } from '../../tensor/tensor-proto.ts';
import { writeTensorEntry } from '../../tensor/write-tensor.ts';

/** A list may be shorter than its tensor, so the bytes do not bound the elements. */
const ELEMENTS_PER_BYTE = 4;

/** Room for a tag and a length, or for an axis. */
const FIELD_BYTES = 20;

export type PredictTensors = {
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** The names of the wanted outputs. Undefined: all. */
  readonly outputs: readonly string[] | undefined;
};

/** Reads a PredictRequest without its model_spec, by the signature. Throws `invalid_request` and `invalid_tensor` with the input. */
export function readTensors(rest: RoomyMessage, signature: Signature): Promise<PredictTensors> {
  return inTurns(tensorsIn(bytesOf(rest), signature)).catch((thrown: unknown) => {
    throw asInvalidMessage(thrown, 'PredictRequest');
  });
}

function* tensorsIn(bytes: Uint8Array, signature: Signature): Steps<PredictTensors> {
  // Each field takes a byte at least, and is visited for the head of its tensor and for its list.
  const budget = { fields: 3 * bytes.length, elements: ELEMENTS_PER_BYTE * bytes.length };
  const inputs = new Map<string, Tensor>();
  const outputs: string[] = [];
  const at = new FieldReader(bytes, budget);
  while (at.next()) {
    if (at.field === 3) outputs.push(at.text);
    if (at.field !== 2) continue;
    const { info, proto } = readInput(at.message, signature);
    inputs.set(info.name, checked(yield* readProto(info.name, proto, budget), info));
    yield;
  }
  const missing = signature.inputs.find(({ name }) => !inputs.has(name));
  if (missing) throw wrong(missing.name, `is missing; the model has ${namesOf(signature)}`);
  return { inputs, outputs: outputs.length > 0 ? outputs : undefined };
}

/** Reads an entry of the map of inputs. */
function readInput(
  entry: FieldReader,
  signature: Signature,
): { readonly info: TensorInfo; readonly proto: Uint8Array } {
  let name = '';
  let proto: Uint8Array = new Uint8Array();
  while (entry.next()) {
    if (entry.field === 1) name = entry.text;
    if (entry.field === 2) proto = entry.bytes;
  }
  const info = signature.inputs.find((one) => one.name === name);
  if (info) return { info, proto };
  throw wrong(name, `no such input; the model has ${namesOf(signature)}`);
}

function* readProto(name: string, proto: Uint8Array, budget: TensorBudget): Steps<Tensor | undefined> {
  try {
    return yield* readTensor(proto, budget);
  } catch (thrown) {
    // The reader takes the tensor for one of an answer.
    const isMisfit = thrown instanceof GatewayError && thrown.kind === 'model_failed';
    throw isMisfit ? wrong(name, 'its values do not fit its shape') : thrown;
  }
}

function checked(tensor: Tensor | undefined, { name, dtype, shape }: TensorInfo): Tensor {
  if (tensor?.dtype !== dtype) throw wrong(name, `expected ${dtype}, got ${tensor?.dtype ?? 'another type'}`);
  if (shape && !hasShape(tensor.shape, shape)) {
    throw wrong(name, `expected the shape [${shape.map((size) => (size < 0 ? 'n' : size))}], got [${tensor.shape}]`);
  }
  return tensor;
}

function namesOf({ inputs }: Signature): string {
  return inputs.map(({ name }) => name).join(', ') || 'none';
}

function wrong(name: string, text: string): GatewayError {
  return new GatewayError('invalid_tensor', `inputs.${name.slice(0, 80)}: ${text}.`);
}

export type PredictAnswer = {
  readonly model: string;
  readonly version: number;
  readonly signature: string;
  readonly outputs: ReadonlyMap<string, Tensor>;
};

/** Writes a PredictResponse. The tensors are copied once. Field numbers: predict.proto, model.proto. */
export function* writePrediction({ model, version, signature, outputs }: PredictAnswer): Steps<Uint8Array> {
  const spec = message([
    [1, model],
    [2, message([[1, version]])],
    [3, signature],
  ]);
  const most = [...outputs].reduce((sum, output) => sum + mostBytes(...output), spec.length + FIELD_BYTES);
  const writer = new BackwardWriter(new Uint8Array(most), most);
  writer.bytesField(2, spec);
  for (const output of [...outputs].reverse()) yield* writeTensorEntry(writer, 1, output);
  return writer.written;
}

/** A bound for the bytes of an output. */
function mostBytes(name: string, tensor: Tensor): number {
  const heads = (4 + tensor.shape.length) * FIELD_BYTES + Buffer.byteLength(name);
  return heads + tensor.bytes.length + ('offsets' in tensor ? stringCount(tensor) * FIELD_BYTES : 0);
}
