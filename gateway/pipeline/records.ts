/** The line for records: the inputs of a table in, its outputs out. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { Table } from '../domain/table.ts';
import type { Tensor } from '../domain/tensor.ts';
import type { ExplainOptions } from '../explain/options.ts';
import type { Routed } from '../model/route.ts';
import { tableOf } from '../model/table.ts';
import type { GivenIds } from './given-ids.ts';
import { type InferAnswer, infer } from './infer.ts';
import type { Stages, TensorStages } from './stages.ts';

/** The version that a request means. `table`: how its records are read; undefined where it takes pictures. */
export type FoundModel = {
  readonly servable: AskedServable;
  readonly routed: Routed;
  readonly table: Table | undefined;
};

export type RecordsModel = FoundModel & { readonly table: Table };

/** Finds the version that a request means. Throws the errors of Route.resolve. */
export async function findModel(
  { route }: Pick<Stages, 'route'>,
  servable: AskedServable,
  context: RequestContext,
): Promise<FoundModel> {
  const routed = await route.resolve(servable, context);
  const { card, metadata, version } = routed;
  context.note({ model: card.name, version });
  return { servable, routed, table: card.image ? undefined : tableOf(card, metadata) };
}

export type RecordsRequest = {
  readonly model: RecordsModel;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly rows: number;
  readonly ids?: GivenIds | undefined;
  /** The field that asks how unusual each record is. */
  readonly outlier?: string | undefined;
  /** Whether and how each record is explained. */
  readonly explain?: ExplainOptions | undefined;
};

/** Predicts all rows with one Predict. Throws the errors of infer. */
export function predictRecords(
  stages: TensorStages,
  { model: { servable, routed, table }, ...request }: RecordsRequest,
  context: RequestContext,
): Promise<InferAnswer> {
  return infer(stages, { servable, routed, signature: table.signature, ...request }, context);
}
