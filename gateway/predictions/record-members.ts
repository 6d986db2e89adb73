/** What the prediction of a record has: each output by its name, classes by theirs, and the decision. */
import { numbersOf } from '../domain/elements.ts';
import type { Decision, Table } from '../domain/table.ts';
import { isScalar } from '../domain/table.ts';
import type { Tensor, TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { nameScores, type ScoreOptions } from '../scores/scores.ts';
import type { Member } from '../tensor/record-id.ts';
import { rowsToJson } from '../tensor/to-json.ts';

export type RecordsForm = Pick<ScoreOptions, 'top' | 'wants'> & {
  /** Scores by the classes' names, or as a list of classes with scores. */
  readonly format: 'map' | 'list';
  /** Whether to say how unusual each record is. */
  readonly outlier: boolean;
};

/** The members of one prediction, or why it has none. */
export type Row = readonly Member[] | GatewayError;

/** The predictions of all rows that the outputs have. `outputs`: each with one row for each instance. */
export function rowsOfOutputs(outputs: ReadonlyMap<string, Tensor>, table: Table, form: RecordsForm): Row[] {
  const columns = table.outputs.map((info) => columnOf(tensorOf(outputs, info.name), info, table, form));
  const { decision } = table;
  if (decision) columns.push(decide(tensorOf(outputs, decision.output), decision));
  const [first = []] = columns;
  return first.map((_, row) => joined(columns.map((column) => column[row] ?? [])));
}

function joined(parts: readonly Row[]): Row {
  const members: Member[] = [];
  for (const part of parts) {
    if (part instanceof GatewayError) return part;
    members.push(...part);
  }
  return members;
}

function columnOf(output: Tensor, info: TensorInfo, { scores }: Table, { top, wants, format }: RecordsForm): Row[] {
  if (info.name !== scores?.output) return textsOf(output, info).map((text) => [[info.name, text]]);
  const { classes, gives } = scores;
  return nameScores(output, output.shape[0] ?? 0, { classes, gives, wants, top }).map((row) => {
    if (row instanceof GatewayError) return row;
    if (format === 'map') return row.map(([name, score]) => [name, JSON.stringify(score)]);
    return [['scores', JSON.stringify(row.map(([name, score]) => ({ class: name, score })))]];
  });
}

/** One element for each row is a plain value, whatever axes of length 1 it has. */
function textsOf(output: Tensor, info: TensorInfo): string[] {
  const [rows = 0, ...axes] = output.shape;
  const isPlain = isScalar(info) && axes.every((size) => size === 1);
  return rowsToJson(isPlain ? { ...output, shape: [rows] } : output, info.name);
}

/** The decision of each row. One that is not a number decides nothing. */
function decide(output: Tensor, { threshold, name }: Decision): Row[] {
  return Array.from(numbersOf(output), (value): Row => {
    if (!Number.isNaN(value)) return [[name, String(value >= threshold)]];
    return new GatewayError('model_failed', `The model answered with NaN: ${name} cannot be decided.`);
  });
}

function tensorOf(outputs: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = outputs.get(name);
  if (tensor) return tensor;
  throw new TypeError(`no output ${name}`);
}
