/** Makes a baseline of predictions that come one by one. */

import { createRandom } from '../../domain/random.ts';
import { MAX_BACKGROUND } from '../../model/background.ts';
import { BASELINE_SCHEMA, type Baseline, MAX_FEATURES } from '../../model/baseline.ts';
import type { FeatureValue } from '../../model/buckets.ts';
import type { LoggedPrediction } from '../log/features.ts';
import { featureOf } from './cut.ts';
import { outliersOf } from './outliers.ts';

/** Enough for deciles: their standard error is 0.13 % of the rows. More would need more memory. */
const MAX_ROWS = 50_000;

/** Features that are inputs of a table. */
const INPUT = 'input.';

type Servable = { readonly model: string; readonly version: number };

/** Keeps all predictions, or a uniform sample of 50,000 of them (Vitter's algorithm R, 1985). The same predictions give the same sample. */
export class BaselineBuilder {
  readonly #servable: Servable;
  readonly #columns = new Map<string, (FeatureValue | undefined)[]>();
  readonly #energies: (number | undefined)[] = [];
  readonly #random = createRandom(1);
  #seen = 0;

  constructor({ model, version }: Servable) {
    this.#servable = { model, version };
  }

  /** The predictions that were added. */
  get seen(): number {
    return this.#seen;
  }

  add({ features, energy }: Pick<LoggedPrediction, 'features' | 'energy'>): void {
    const place = this.#seen < MAX_ROWS ? this.#seen : Math.floor(this.#random() * (this.#seen + 1));
    this.#seen += 1;
    if (place >= MAX_ROWS) return;
    for (const name of features.keys()) {
      if (!this.#columns.has(name) && this.#columns.size < MAX_FEATURES) this.#columns.set(name, []);
    }
    for (const [name, column] of this.#columns) column[place] = features.get(name);
    this.#energies[place] = energy;
  }

  /** `source`: where the predictions are from, in a few words. At least one must have been added. */
  baseline(source: string): Baseline {
    const rows = Math.min(this.#seen, MAX_ROWS);
    const features = Object.fromEntries(
      [...this.#columns].flatMap(([name, column]) => {
        const feature = featureOf(Array.from({ length: rows }, (_, row) => column[row]));
        return feature ? [[name, feature] as const] : [];
      }),
    );
    const outliers = outliersOf({ features, columns: this.#columns, energies: this.#energies, rows });
    const records = this.#records(rows);
    return {
      schema: BASELINE_SCHEMA,
      ...this.#servable,
      source,
      rows,
      features,
      outliers,
      ...(records && { records }),
    };
  }

  /** Inputs of rows from all parts of the sample. Undefined for pictures, and where a row has an input that others lack. */
  #records(rows: number): Baseline['records'] {
    const inputs = [...this.#columns].filter(([name]) => name.startsWith(INPUT));
    const count = Math.min(rows, MAX_BACKGROUND);
    const records = Array.from({ length: count }, (_, index) => {
      const row = Math.floor((index * rows) / count);
      return inputs.flatMap(([name, column]) => {
        const value = column[row];
        return value === undefined ? [] : [[name.slice(INPUT.length), value] as const];
      });
    });
    const isWhole = inputs.length > 0 && records.every(({ length }) => length === inputs.length);
    return isWhole ? records.map((members) => Object.fromEntries(members)) : undefined;
  }
}
