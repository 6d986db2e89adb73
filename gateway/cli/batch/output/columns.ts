/** Rows as columns, for CSV and Parquet: `index`, `input`, `prediction.NAME`, `error.kind`, `error.detail`. */
import type { Row } from '../row.ts';

export type Cell = string | number | boolean | null;
export type ColumnType = 'DOUBLE' | 'BOOLEAN' | 'STRING' | 'INT32';
export type Column = { readonly name: string; readonly type: ColumnType };

/** The type of a column with values of two types, as text. */
const MIXED = 'STRING';

/** Collects the columns of rows: the members of all predictions, in the order in which they first come. */
export class Columns {
  readonly #predictions = new Map<string, ColumnType>();
  #hasInputs = false;
  #hasErrors = false;

  add(row: Row): void {
    this.#hasInputs ||= row.input !== undefined;
    this.#hasErrors ||= row.error !== undefined;
    for (const [name, value] of cellsOf(row)) {
      const type = typeOf(value);
      const before = this.#predictions.get(name);
      if (type !== undefined) this.#predictions.set(name, before === undefined || before === type ? type : MIXED);
    }
  }

  /** The columns. Those of inputs and errors only if there is one. */
  list(): readonly Column[] {
    return [
      { name: 'index', type: 'INT32' },
      ...(this.#hasInputs ? [{ name: 'input', type: 'STRING' } as const] : []),
      ...[...this.#predictions].map(([name, type]) => ({ name, type })),
      ...(this.#hasErrors
        ? (['error.kind', 'error.detail'] as const).map((name) => ({ name, type: MIXED }) as const)
        : []),
    ];
  }
}

/** The cells of a row in the order of the columns; null where it has none. Lists and objects are JSON. */
export function recordOf(row: Row, columns: readonly Column[]): Cell[] {
  const values = new Map<string, unknown>(cellsOf(row));
  values.set('index', row.index).set('input', row.input);
  values.set('error.kind', row.error?.kind).set('error.detail', row.error?.detail);
  return columns.map(({ name, type }) => cellOf(values.get(name), type));
}

function cellsOf({ prediction }: Row): [string, unknown][] {
  if (prediction === undefined) return [];
  const isMap = typeof prediction === 'object' && prediction !== null && !Array.isArray(prediction);
  if (!isMap || JSON.stringify(prediction).at(0) !== '{') return [['prediction', prediction]];
  return Object.entries(prediction).map(([name, value]) => [`prediction.${name}`, value]);
}

function typeOf(value: unknown): ColumnType | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return 'DOUBLE';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'STRING';
}

function cellOf(value: unknown, type: ColumnType): Cell {
  if (value === null || value === undefined) return null;
  if (type === 'STRING') return typeof value === 'string' ? value : JSON.stringify(value);
  return value as number | boolean;
}
