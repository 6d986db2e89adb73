/** The difference of two shares, such as the error rates of two versions. */
import { CONFIDENCE, type Measured, measuredOf, standardized } from './measured.ts';
import { bisect, normalQuantile } from './normal.ts';
import type { Share } from './share.ts';

/**
 * How much larger one share is than another, by the score of Miettinen and Nurminen (Comparative analysis of two rates, 1985). The
 * interval and the test of the bound are of the same score, and hold for few and for no errors too. Undefined for a total of 0.
 */
export function measureDifference(
  one: Share,
  other: Share,
  bound: number,
  confidence = CONFIDENCE,
): Measured | undefined {
  if (one.total === 0 || other.total === 0) return undefined;
  const difference = one.count / one.total - other.count / other.total;
  const zAt = (supposed: number) => scoreOf(one, other, supposed);
  const limit = normalQuantile(confidence);
  const low = bisect((supposed) => zAt(supposed) - limit, -1, difference);
  const high = bisect((supposed) => zAt(supposed) + limit, difference, 1);
  return measuredOf(difference, [low, high], zAt, bound);
}

/** The score of a supposed difference: how many standard errors the observed one is above it. */
function scoreOf(one: Share, other: Share, supposed: number): number {
  const total = one.total + other.total;
  const otherShare = likeliestShare(one, other, supposed);
  const oneShare = otherShare + supposed;
  const variance = (oneShare * (1 - oneShare)) / one.total + (otherShare * (1 - otherShare)) / other.total;
  const distance = one.count / one.total - other.count / other.total - supposed;
  // Rounding may leave less than 0 of a variance of 0.
  return standardized(distance, Math.sqrt((Math.max(0, variance) * total) / (total - 1)));
}

/**
 * The likeliest `other` share, given that the shares have this difference: the root of the likelihood equation, which is cubic, in closed
 * form (appendix I of the paper).
 */
function likeliestShare(one: Share, other: Share, difference: number): number {
  const total = one.total + other.total;
  const count = one.count + other.count;
  const constant = other.count * difference * (1 - difference);
  const linear = (other.total * difference - total - 2 * other.count) * difference + count;
  const square = (one.total + 2 * other.total) * difference - total - count;
  const third = square / (3 * total);
  const q = third ** 3 - (linear * third) / (2 * total) + constant / (2 * total);
  const p = Math.sign(q || 1) * Math.sqrt(Math.max(0, third ** 2 - linear / (3 * total)));
  const angle = p === 0 ? 0 : (Math.PI + Math.acos(clamp(q / p ** 3, -1, 1))) / 3;
  return clamp(2 * p * Math.cos(angle) - third, Math.max(0, -difference), Math.min(1, 1 - difference));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
