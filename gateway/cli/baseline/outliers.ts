/** What a baseline says of outliers: the typical of each input, and quantiles of distance and energy. */
import type { Baseline } from '../../model/baseline.ts';
import { distanceFrom, isOfInput, quantilesOf, type Typicals, typicalOf } from '../../model/outliers.ts';
import { type Column, sortedNumbers } from './cut.ts';

export type Rows = {
  readonly features: Baseline['features'];
  readonly columns: ReadonlyMap<string, Column>;
  readonly energies: Column;
  readonly rows: number;
};

/** Quantiles are absent where no row has an energy, or no input is a feature. */
export function outliersOf({ features, columns, energies, rows }: Rows): NonNullable<Baseline['outliers']> {
  const typical: Typicals = Object.fromEntries(
    Object.entries(features).flatMap(([name, { kind }]) =>
      kind === 'number' && isOfInput(name) ? [[name, typicalOf(sortedNumbers(columns.get(name) ?? []))] as const] : [],
    ),
  );
  const distances = Array.from(
    { length: rows },
    (_, row) => distanceFrom({ features, typical }, (name) => columns.get(name)?.[row])?.distance,
  );
  const [energy, distance] = [energies, distances].map((column) => {
    const sorted = sortedNumbers(column);
    return sorted.length > 0 ? quantilesOf(sorted) : undefined;
  });
  return { ...(energy && { energy }), ...(distance && { distance }), typical };
}
