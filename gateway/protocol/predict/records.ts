/** Answers POST /predict for a model that takes records. */
import type { RequestContext } from '../../domain/request.ts';
import type { ExplainOptions } from '../../explain/options.ts';
import type { Answer } from '../../http/answer.ts';
import type { BodyReader } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { InferAnswer } from '../../pipeline/infer.ts';
import type { RecordsModel, RecordsRequest } from '../../pipeline/records.ts';
import { refuseName, withExplanations } from '../../predictions/explanations.ts';
import type { RecordsForm } from '../../predictions/record-members.ts';
import { checkForm, namesOf, renderRecords } from '../../predictions/records.ts';
import { format } from './records-body.ts';

export type RecordsOptions = {
  readonly predict: (request: RecordsRequest, context: RequestContext) => Promise<InferAnswer>;
  readonly maxBodyBytes: number;
  readonly write: JsonCodec['write'];
};

/** Reads the records of the body, predicts them and renders the predictions. */
export async function answerRecords(
  model: RecordsModel,
  { form, explain }: { readonly form: RecordsForm; readonly explain: ExplainOptions | undefined },
  { readBody, predict, maxBodyBytes, write }: RecordsOptions & { readonly readBody: BodyReader },
  exchange: Exchange,
  context: RequestContext,
): Promise<Answer> {
  const { table } = model;
  checkForm(table, form, 'query ');
  const records = await readBody.json(exchange, format, { table, maxBodyBytes });
  const { count: rows, ids } = records.instances;
  const outlier = form.outlier ? 'query outlier' : undefined;
  refuseName(explain, records.flat, namesOf(table));
  const inputs = new Map(records.inputs);
  const prediction = await predict({ model, inputs, rows, ids, outlier, explain }, context);
  const answer = await renderRecords(write, { ...prediction, table }, records, form);
  return withExplanations(answer, { options: explain, explanations: prediction.explanations, flat: records.flat });
}
