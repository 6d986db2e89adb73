/** The records that a record is compared with, as inputs of the model. */
import { ELEMENTS, isNumeric } from '../../domain/elements.ts';
import { elementCount } from '../../domain/shape.ts';
import { stringTensor } from '../../domain/strings.ts';
import type { Table } from '../../domain/table.ts';
import type { Tensor } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { readBackground } from '../../model/background.ts';
import { usualSignature } from '../../model/find-signature.ts';
import type { Routed } from '../../model/route.ts';
import { tableOf } from '../../model/table.ts';
import { isRecord, type JsonRecord } from '../../tensor/record-id.ts';
import { readRecords } from '../../tensor/records.ts';
import type { Stages } from '../stages.ts';

export type BackgroundInputs = {
  readonly size: number;
  /** What it is, for people. */
  readonly about: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
};

/**
 * The background of a version: records of its folder, or without any one record of zeros and empty texts. `own`: the inputs of one row, whose types
 * and axes those of the background have.
 * @throws GatewayError model_failed for records that are not those of the signature.
 */
export async function backgroundOf(
  { baselineOf }: Pick<Stages, 'baselineOf'>,
  { card, version, metadata }: Routed,
  signature: string,
  own: ReadonlyMap<string, Tensor>,
): Promise<BackgroundInputs> {
  const table = signature === usualSignature(card, metadata) ? tableOf(card, metadata) : undefined;
  const known =
    table && (await readBackground(card, version, { baselineOf, inputs: table.inputs.map(({ name }) => name) }));
  if (!table || !known) return { size: 1, about: 'zeros and empty texts', inputs: new Map([...own].map(emptyInput)) };
  const { source, records } = known;
  const size = records.length;
  const place = (row: number) => `explain: ${source}: instances[${row}]`;
  const plain = records.map((record) => (isRecord(record) ? inputsOf(record, table) : record));
  try {
    const inputs = new Map(readRecords(plain, { ...table, record: undefined }, place).inputs);
    for (const [name, tensor] of own) {
      if (String(inputs.get(name)?.shape.slice(1)) === String(tensor.shape.slice(1))) continue;
      throw new GatewayError('model_failed', `explain: ${source}: ${name} has other axes than in the request`);
    }
    return { size, about: `${size} records of ${source}`, inputs };
  } catch (cause) {
    if (cause instanceof GatewayError && cause.kind !== 'model_failed') {
      throw new GatewayError('model_failed', cause.message, { cause });
    }
    throw cause;
  }
}

/** The inputs of a record, which may have other members, such as an id. A baseline has 0 and 1 for booleans. */
function inputsOf(record: JsonRecord, { inputs }: Table): JsonRecord {
  return Object.fromEntries(
    inputs.flatMap(({ name, dtype }) => {
      if (!Object.hasOwn(record, name)) return [];
      const value = record[name];
      return [[name, dtype === 'DT_BOOL' && typeof value === 'number' ? value !== 0 : value]];
    }),
  );
}

/** One row of zeros or empty texts. */
function emptyInput([name, { dtype, shape }]: readonly [string, Tensor]): readonly [string, Tensor] {
  const axes = [1, ...shape.slice(1)];
  const count = elementCount(axes);
  if (!isNumeric(dtype))
    return [
      name,
      stringTensor(
        axes,
        Array.from({ length: count }, () => new Uint8Array()),
      ),
    ];
  return [name, { dtype, shape: axes, bytes: new Uint8Array(count * ELEMENTS[dtype].BYTES_PER_ELEMENT) }];
}
