/** Answers POST /predict for a model that takes records. */
import type { RequestContext } from '../../domain/request.ts';
import type { Answer } from '../../http/answer.ts';
import type { BodyReader } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { InferAnswer } from '../../pipeline/infer.ts';
import type { RecordsModel, RecordsRequest } from '../../pipeline/records.ts';
import type { RecordsForm } from '../../predictions/record-members.ts';
import { checkForm, renderRecords } from '../../predictions/records.ts';
import { format } from './records-body.ts';

export type RecordsOptions = {
  readonly predict: (request: RecordsRequest, context: RequestContext) => Promise<InferAnswer>;
  readonly maxBodyBytes: number;
  readonly write: JsonCodec['write'];
};

/** Reads the records of the body, predicts them and renders the predictions. */
export async function answerRecords(
  model: RecordsModel,
  form: RecordsForm,
  { readBody, predict, maxBodyBytes, write }: RecordsOptions & { readonly readBody: BodyReader },
  exchange: Exchange,
  context: RequestContext,
): Promise<Answer> {
  const { table } = model;
  checkForm(table, form, 'query ');
  const records = await readBody.json(exchange, format, { table, maxBodyBytes });
  const { count: rows, ids } = records.instances;
  const outlier = form.outlier ? 'query outlier' : undefined;
  const prediction = await predict({ model, inputs: new Map(records.inputs), rows, ids, outlier }, context);
  return renderRecords(write, { ...prediction, table }, records, form);
}
