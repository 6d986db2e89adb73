/** Predictions of records as JSON: one prediction, or a list of predictions. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Table, VERSION_FIELD } from '../domain/table.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { problemMembers } from '../http/problem.ts';
import type { Member } from '../tensor/record-id.ts';
import type { RowNames } from '../tensor/records.ts';
import { rowsOf } from '../tensor/row-slices.ts';
import { renderObject } from './object.ts';
import { type RecordsForm, rowsOfOutputs } from './record-members.ts';

export type RecordsPrediction = {
  readonly version: number;
  readonly table: Table;
  readonly outputs: ReadonlyMap<string, Tensor>;
};

/** `flat`: only the first prediction, without a list. */
export type RecordsRequest = { readonly instances: readonly RowNames[]; readonly flat: boolean };

/** Elements that are written in one turn of the event loop: about 2 ms. */
const ELEMENTS_AT_ONCE = 8000;

const UNNAMED: RowNames = { isPlain: false };

/**
 * Renders the predictions, a part in each turn of the event loop. A prediction that fails is an error in its place. Throws
 * `model_failed` for an output without a row for each instance, and the first error where all predictions fail.
 */
export async function renderRecords(
  prediction: RecordsPrediction,
  { instances, flat }: RecordsRequest,
  form: RecordsForm,
): Promise<Answer> {
  const { table, version } = prediction;
  const outputs = rowedOutputs(prediction, instances.length);
  const step = rowsAtOnce(outputs, instances.length);
  const items: (string | GatewayError)[] = [];
  for (let start = 0; start < instances.length; start += step) {
    if (start > 0) await nextTurn();
    const count = Math.min(step, instances.length - start);
    const part = new Map([...outputs].map(([name, tensor]) => [name, rowsOf(tensor, start, count)]));
    for (const [row, found] of rowsOfOutputs(part, table, form).entries()) {
      const instance = instances[start + row] ?? UNNAMED;
      const isError = found instanceof GatewayError;
      items.push(isError ? found : rendered(found, instance, prediction, { ...form, flat }));
    }
  }
  const [first] = items;
  if (first instanceof GatewayError && items.every((item) => item instanceof GatewayError)) throw first;
  const texts = items.map((item, row) => (item instanceof GatewayError ? renderError(item, instances[row]) : item));
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body: flat ? (texts[0] ?? '') : `{"predictions":[${texts.join(',')}]}`,
  };
}

function renderError(error: GatewayError, { ids = [] }: RowNames = UNNAMED): string {
  return renderObject([...ids, ['error', JSON.stringify(problemMembers(error))]]);
}

/** Throws `invalid_request` for parameters about classes where the model has none. `place`: where the parameters are. */
export function checkForm(
  { scores, outputs, decision, record }: Table,
  { top, wants, format }: RecordsForm,
  place: 'query ' | 'parameters.',
): void {
  const refuse = (parameter: string, why: string): never => {
    throw new GatewayError('invalid_request', `${place}${parameter}: ${why}; leave it out`);
  };
  if (!scores && top !== undefined) refuse('top', 'this model has no classes');
  if (!scores && wants !== 'raw') refuse('scores', 'this model has no classes');
  const hasMore = outputs.length > 1 || decision !== undefined || record !== undefined;
  if (format === 'list' && (!scores || hasMore)) refuse('format', 'list is for models that give nothing but classes');
}

/** A prediction without any name is the plain value of its only output. A list of classes is one member. */
function rendered(
  members: readonly Member[],
  { ids = [], isPlain }: RowNames,
  { table: { outputs, decision, record }, version }: RecordsPrediction,
  { format, flat }: RecordsForm & { readonly flat: boolean },
): string {
  const [[, text] = ['', '']] = members;
  const isAlone = outputs.length === 1 && members.length === 1 && !decision && !record;
  if (format === 'list' && flat) return renderObject([...ids, ['predictions', text]]);
  if (isAlone && ids.length === 0 && (isPlain || format === 'list')) return text;
  const ending: Member[] = record ? [[VERSION_FIELD, String(version)]] : [];
  return renderObject([...ids, ...members, ...ending]);
}

/** The outputs with one row for each instance. The only instance gets a whole tensor. */
function rowedOutputs({ outputs, table }: RecordsPrediction, rows: number): ReadonlyMap<string, Tensor> {
  return new Map(
    table.outputs.map(({ name }) => {
      const tensor = outputs.get(name);
      if (tensor?.shape[0] === rows) return [name, tensor];
      if (tensor && rows === 1) return [name, { ...tensor, shape: [1, ...tensor.shape] }];
      const cause = new Error(`${name} has the shape [${tensor?.shape}] for ${rows} instances`);
      throw new GatewayError('model_failed', 'The model answered with another number of rows.', { cause });
    }),
  );
}

function rowsAtOnce(outputs: ReadonlyMap<string, Tensor>, rows: number): number {
  const sizes = [...outputs.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const elements = sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(1, Math.floor((ELEMENTS_AT_ONCE * rows) / Math.max(1, elements)));
}
