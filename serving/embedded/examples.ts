/**
 * The examples of a Classify or Regress request as tensors. In a SavedModel the graph parses them. ONNX has no operator
 * that does, so the server does: the feature with the name of an input is one row of it. The rules and the texts are
 * those of TensorFlow's ParseExample with FixedLenFeature.
 */

import { DTYPES, type DType } from './dtype.ts';
import type { Example, Feature, Input } from './protocol.ts';
import type { Signature, ValueInfo } from './session-worker.ts';
import { invalidArgument } from './status.ts';
import { stringOfBytes } from './string-bytes.ts';
import type { InputTensor } from './tensor.ts';

type Features = Readonly<Record<string, Feature>>;
type Kind = keyof Feature;
/** The names of the lists in TensorFlow's texts. */
const KINDS: Readonly<Record<Kind, string>> = { bytes_list: 'string', float_list: 'float', int64_list: 'int64' };

/** @throws StatusError INVALID_ARGUMENT if there are no examples */
export function examplesOf(input: Input | null): Features[] {
  const { examples = [], context } = input?.example_list_with_context ?? { ...input?.example_list, context: null };
  if (examples.length === 0) throw invalidArgument('Input is empty.');
  const shared = featuresOf(context);
  return examples.map((example) => ({ ...shared, ...featuresOf(example) }));
}

function featuresOf(example: Example | null): Features {
  return example?.features?.feature ?? {};
}

/**
 * A tensor for each input of the signature, with one row for each example.
 * @throws StatusError INVALID_ARGUMENT for a feature that is missing, has another type or another number of values
 */
export function readExamples({ inputs }: Signature, examples: readonly Features[]): Map<string, InputTensor> {
  return new Map([...inputs].map(([name, info]) => [name, columnOf(name, info, examples)]));
}

function columnOf(name: string, { dtype, shape }: ValueInfo, examples: readonly Features[]): InputTensor {
  const kind = kindOf(name, dtype);
  const rows = examples.map((features, at) => valuesOf(features, { name, kind, at }));
  const inner = innerShape(shape?.slice(1) ?? [-1], rows[0]?.length ?? 0);
  const size = inner.reduce((product, one) => product * one, 1);
  const wrong = rows.findIndex(({ length }) => length !== size);
  if (wrong >= 0) {
    throw invalidArgument(
      `Name: <unknown>, Key: ${name}, Index: ${wrong}.  Number of ${KINDS[kind]} values != expected.  ` +
        `Values size: ${rows[wrong]?.length} but output shape: [${inner}]`,
    );
  }
  return { dtype, shape: [examples.length, ...inner], data: dataOf(dtype, rows) };
}

/** The list that holds the values of an input of this type. */
function kindOf(name: string, dtype: DType): Kind {
  if (dtype === 'DT_STRING') return 'bytes_list';
  if (dtype === 'DT_FLOAT' || dtype === 'DT_DOUBLE') return 'float_list';
  if (dtype !== 'DT_HALF' && dtype !== 'DT_BFLOAT16') return 'int64_list';
  throw invalidArgument(`Input ${name} is ${DTYPES[dtype].name}. Examples have float, int64 and string features only`);
}

function valuesOf(features: Features, { name, kind, at }: { name: string; kind: Kind; at: number }) {
  const feature = Object.hasOwn(features, name) ? features[name] : undefined;
  const sent = (Object.keys(KINDS) as Kind[]).find((one) => feature?.[one]);
  if (sent === undefined) {
    throw invalidArgument(
      `Name: <unknown>, Feature: ${name} (data type: ${KINDS[kind]}) is required but could not be found.`,
    );
  }
  if (sent !== kind) {
    throw invalidArgument(
      `Name: <unknown>, Key: ${name}, Index: ${at}.  Data types don't match. ` +
        `Data type: ${KINDS[sent]} but expected type: ${KINDS[kind]}`,
    );
  }
  return feature?.[kind]?.value ?? [];
}

/** One axis of variable size takes the values that the others leave of the first example. */
function innerShape(shape: readonly number[], count: number): number[] {
  const known = shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const free = shape.findIndex((size) => size < 0);
  return shape.map((size, axis) => (size >= 0 ? size : axis === free && known > 0 ? Math.ceil(count / known) : 1));
}

function dataOf(dtype: DType, rows: readonly (readonly (number | string | Buffer)[])[]): InputTensor['data'] {
  const { array } = DTYPES[dtype];
  const values = rows.flat();
  if (array === undefined) return values.map((value) => stringOfBytes(value as Buffer));
  const numbers = new array(values.length);
  const convert = numbers instanceof BigInt64Array || numbers instanceof BigUint64Array ? BigInt : Number;
  values.forEach((value, at) => {
    numbers[at] = convert(value as string);
  });
  return new Uint8Array(numbers.buffer);
}
