/** How unusual the rows of a request are, as outputs: the protocol has no other place for numbers of each row. */
import type { Tensor } from '../domain/tensor.ts';
import { type Outlier, outlierMembers } from '../pipeline/outliers.ts';

const NUMBERS = ['energy', 'energy_percentile', 'distance', 'distance_percentile'] as const;

/** FP64 of the shape [rows], named `outlier_energy` and so on. Those that no row has are left out; NaN for a row without. */
export function outlierOutputs(outliers: readonly Outlier[] = []): (readonly [name: string, tensor: Tensor])[] {
  const rows = outliers.map(outlierMembers);
  return NUMBERS.flatMap((name) => {
    if (rows.every((row) => row[name] === null)) return [];
    const values = Float64Array.from(rows, (row) => row[name] ?? Number.NaN);
    const tensor: Tensor = { dtype: 'DT_DOUBLE', shape: [rows.length], bytes: new Uint8Array(values.buffer) };
    return [[`outlier_${name}`, tensor] as const];
  });
}
