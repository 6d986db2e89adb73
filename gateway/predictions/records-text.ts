/** Predictions of records as JSON text, row by row. */
import { type Table, VERSION_FIELD } from '../domain/table.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { JsonText } from '../http/json/format.ts';
import { problemMembers } from '../http/problem.ts';
import { type Outlier, outlierMembers } from '../pipeline/outliers.ts';
import { packedMemory } from '../tensor/packed.ts';
import { memoryOfNames, type RowNames, unpackNames } from '../tensor/row-names.ts';
import { rowsOf } from '../tensor/row-slices.ts';
import { renderMembers } from './object.ts';
import { type RecordsForm, type Row, rowsOfOutputs } from './record-members.ts';

export type RecordsAnswer = {
  readonly version: number;
  readonly table: Table;
  /** Each with one row for each instance. */
  readonly outputs: readonly (readonly [name: string, tensor: Tensor])[];
  readonly instances: RowNames;
  /** Only the first prediction, without a list. */
  readonly flat: boolean;
  readonly form: RecordsForm;
  /** How unusual each record is, where the request asks for it. */
  readonly outliers?: readonly Outlier[] | undefined;
};

/** About the text of an outlier. */
const OUTLIER_BYTES = 150;
/** Rows whose text is made at once: it bounds the memory beside the answer. */
const ROWS_AT_ONCE = 1000;

export const text: JsonText<RecordsAnswer> = {
  module: import.meta.url,
  bytes: ({ outputs, outliers = [] }) =>
    outputs.reduce((sum, [, { bytes }]) => sum + bytes.length, outliers.length * OUTLIER_BYTES),
  memory: ({ outputs, instances }) => [
    ...packedMemory(outputs.map(([, tensor]) => tensor)),
    ...memoryOfNames(instances),
  ],
  write: writeAnswer,
};

/** Throws the first error where all predictions have one. Otherwise an error is in the place of its prediction. */
function writeAnswer(answer: RecordsAnswer, add: (piece: string) => void): void {
  const { instances, outputs, flat } = answer;
  const nameOf = unpackNames(instances);
  const failed: GatewayError[] = [];
  if (!flat) add('{"predictions":[');
  for (let start = 0; start < instances.count; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, instances.count - start);
    const part = new Map(outputs.map(([name, tensor]) => [name, rowsOf(tensor, start, count)]));
    for (const [index, members] of rowsOfOutputs(part, answer.table, answer.form).entries()) {
      if (members instanceof GatewayError) failed.push(members);
      const piece = written(members, besidesOutputs(nameOf(start + index), answer.outliers?.[start + index]), answer);
      add(start + index > 0 ? `,${piece}` : piece);
    }
  }
  const [first] = failed;
  if (first && failed.length === instances.count) throw first;
  if (!flat) add(']}');
}

type Beside = { readonly ids: string; readonly isPlain: boolean };

/** The outlier is a member as ids are. */
function besidesOutputs({ ids, isPlain }: Beside, outlier: Outlier | undefined): Beside {
  if (!outlier) return { ids, isPlain };
  const member = `"outlier":${JSON.stringify(outlierMembers(outlier))}`;
  return { ids: ids === '' ? member : `${ids},${member}`, isPlain };
}

/** A prediction without any name is the plain value of its only output. A list of classes is one member. */
function written(
  members: Row,
  { ids, isPlain }: Beside,
  { table: { outputs, decision, record }, version, flat, form: { format } }: RecordsAnswer,
): string {
  if (members instanceof GatewayError) return renderMembers(ids, [['error', JSON.stringify(problemMembers(members))]]);
  const [[, value] = ['', '']] = members;
  const isAlone = outputs.length === 1 && members.length === 1 && !decision && !record;
  if (format === 'list' && flat) return renderMembers(ids, [['predictions', value]]);
  if (isAlone && ids === '' && (isPlain || format === 'list')) return value;
  return renderMembers(ids, record ? [...members, [VERSION_FIELD, String(version)]] : members);
}
