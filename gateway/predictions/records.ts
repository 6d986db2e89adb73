/** Predictions of records as an answer: one prediction, or a list of predictions. */
import type { Table } from '../domain/table.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { JsonCodec } from '../http/json/codec.ts';
import type { Outlier } from '../pipeline/outliers.ts';
import { packTensor } from '../tensor/packed.ts';
import type { RowNames } from '../tensor/row-names.ts';
import type { RecordsForm } from './record-members.ts';
import { type RecordsAnswer, text } from './records-text.ts';

export type RecordsPrediction = {
  readonly version: number;
  readonly table: Table;
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly outliers?: readonly Outlier[] | undefined;
};

/** `flat`: only the first prediction, without a list. */
export type RecordsRequest = { readonly instances: RowNames; readonly flat: boolean };

/**
 * Renders the predictions; large ones in the worker of the codec. A prediction that fails is an error in its place. Throws
 * `model_failed` for an output without a row for each instance, and the first error where all predictions fail.
 */
export async function renderRecords(
  write: JsonCodec['write'],
  prediction: RecordsPrediction,
  { instances, flat }: RecordsRequest,
  form: RecordsForm,
): Promise<Answer> {
  const { table, version, outliers } = prediction;
  const outputs = rowedOutputs(prediction, instances.count);
  const body = await write<RecordsAnswer>({ version, table, outputs, instances, flat, form, outliers }, text);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body,
  };
}

/** Throws `invalid_request` for parameters that do not fit the model, such as those about classes where it has none. `place`: where the parameters are. */
export function checkForm(
  table: Table,
  { top, wants, format, outlier }: RecordsForm,
  place: 'query ' | 'parameters.',
): void {
  const { scores, outputs, decision, record } = table;
  const refuse = (parameter: string, why: string): never => {
    throw new GatewayError('invalid_request', `${place}${parameter}: ${why}; leave it out`);
  };
  if (!scores && top !== undefined) refuse('top', 'this model has no classes');
  if (!scores && wants !== 'raw') refuse('scores', 'this model has no classes');
  if (outlier && namesOf(table).includes('outlier'))
    refuse('outlier', 'the model has an output or a class of this name');
  const hasMore = outputs.length > 1 || decision !== undefined || record !== undefined;
  if (format === 'list' && (!scores || hasMore)) refuse('format', 'list is for models that give nothing but classes');
}

/** The names that a prediction may have as members. */
export function namesOf({ outputs, scores, decision }: Table): string[] {
  return [...outputs.map(({ name }) => name), ...(scores?.classes ?? []), ...(decision ? [decision.name] : [])];
}

/** The outputs with one row for each instance. The only instance gets a whole tensor. */
function rowedOutputs({ outputs, table }: RecordsPrediction, rows: number): RecordsAnswer['outputs'] {
  return table.outputs.map(({ name }) => {
    const tensor = outputs.get(name);
    if (tensor?.shape[0] === rows) return [name, packTensor(tensor)];
    if (tensor && rows === 1) return [name, packTensor({ ...tensor, shape: [1, ...tensor.shape] })];
    const cause = new Error(`${name} has the shape [${tensor?.shape}] for ${rows} instances`);
    throw new GatewayError('model_failed', 'The model answered with another number of rows.', { cause });
  });
}
