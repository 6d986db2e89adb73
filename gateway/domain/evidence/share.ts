/** A share of a whole, such as that of right predictions. */
import { CONFIDENCE, type Interval, type Measured, measuredOf, standardized } from './measured.ts';
import { normalQuantile } from './normal.ts';

/** `count` of `total`. */
export type Share = { readonly count: number; readonly total: number };

/**
 * The confidence interval of a share, by Wilson's score (E. B. Wilson, Probable Inference, 1927). It stays within 0 and 1, and holds for
 * small totals and for shares near 0 and 1 too. `total` is above 0.
 */
export function wilsonInterval({ count, total }: Share, confidence = CONFIDENCE): Interval {
  const share = count / total;
  const z = normalQuantile(confidence);
  const weight = z ** 2 / total;
  const centre = (share + weight / 2) / (1 + weight);
  const half = (z / (1 + weight)) * Math.sqrt((share * (1 - share)) / total + weight / (4 * total));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** A share, and the score test of its bound. Undefined for a total of 0. */
export function measureShare(share: Share, bound: number, confidence = CONFIDENCE): Measured | undefined {
  const { count, total } = share;
  if (total === 0) return undefined;
  const zAt = (other: number) => standardized(count / total - other, Math.sqrt((other * (1 - other)) / total));
  return measuredOf(count / total, wilsonInterval(share, confidence), zAt, bound);
}
