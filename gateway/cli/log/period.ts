/** Times of a log as options give them. */
import { ConfigError } from '../../config/read.ts';
import type { Period } from './features.ts';

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{1,3})?)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const HOUR = /^(\d{4}-\d\d-\d\dT\d\d)(Z|[+-]\d\d:\d\d)?$/;

/** A time as lines have it. Undefined for text that is none. Times are UTC unless they have an offset. */
export function timeOf(text: string): string | undefined {
  if (!ISO.test(text)) return undefined;
  const full = text.replace(HOUR, '$1:00$2');
  const hasZone = /(?:Z|[+-]\d\d:\d\d)$/.test(full) || !full.includes('T');
  const date = new Date(hasZone ? full : `${full}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** The time of an option. Throws ConfigError for text that is none. */
export function readTime(text: string, option: string): string {
  const time = timeOf(text);
  if (time !== undefined) return time;
  throw new ConfigError(`${option} ${text}: needs a time such as 2026-11-30, 2026-11-30T15 or 2026-11-30T15:20:00Z`);
}

/** `FROM/TO`, or `TO` for all before it. Undefined for text that is neither. */
export function periodOf(text: string): (Required<Pick<Period, 'to'>> & Period) | undefined {
  const [first = '', second, ...more] = text.split('/');
  if (more.length > 0) return undefined;
  const [from, to] = second === undefined ? [undefined, timeOf(first)] : [timeOf(first), timeOf(second)];
  return to === undefined || (second !== undefined && from === undefined) ? undefined : { from, to };
}
