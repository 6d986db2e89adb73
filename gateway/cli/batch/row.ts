/** The result of one item: a line of the journal and of NDJSON output. */
import type { Item } from './item.ts';

/** Why an item has no prediction: members of the gateway's problem document (docs/errors.md). */
export type RowError = { readonly kind: string; readonly status?: number; readonly detail: string };

export type Row = {
  readonly index: number;
  readonly input?: string;
  readonly prediction?: unknown;
  readonly error?: RowError;
};

export const rowOf = ({ index, input }: Item, result: Pick<Row, 'prediction'> | Pick<Row, 'error'>): Row => ({
  index,
  ...(input !== undefined && { input }),
  ...result,
});
