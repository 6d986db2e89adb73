/** Which distances are measured of a feature, and above which it has drifted. They are those of kubernetes/components/monitoring/drift.yaml. */
import type { BaselineFeature } from '../../model/baseline.ts';
import { jensenShannon, lInfinity, populationStability } from './distances.ts';

export type Statistic = {
  readonly name: 'psi' | 'js' | 'linf';
  readonly label: string;
  /** Null where the statistic is only shown. */
  readonly threshold: number | null;
  readonly distance: (baseline: readonly number[], now: readonly number[]) => number;
};

const PSI: Statistic = { name: 'psi', label: 'PSI', threshold: 0.2, distance: populationStability };
const JS: Statistic = { name: 'js', label: 'Jensen-Shannon', threshold: null, distance: jensenShannon };
const L_INFINITY: Statistic = { name: 'linf', label: 'L-infinity', threshold: 0.15, distance: lInfinity };

/** Predictions that a feature needs: with fewer the statistics would tell of chance. */
export const MINIMUM = 300;

/** The statistics of a feature. The first has a threshold. */
export const STATISTICS: Readonly<Record<BaselineFeature['kind'], readonly [Statistic, ...Statistic[]]>> = {
  number: [PSI, JS],
  category: [L_INFINITY],
};

/** The name of a statistic for people. */
export function labelOf(name: Statistic['name']): string {
  return [PSI, JS, L_INFINITY].find((one) => one.name === name)?.label ?? name;
}
