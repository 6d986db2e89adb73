/** A request rate, written "20/s". */
import { z } from 'zod';

/** At most `count` requests per window of `windowS` seconds. A window starts with its first request. */
export type Rate = { readonly count: number; readonly windowS: number };

const WINDOW_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A schema that parses "20/s", "600/m" or "5000/h" to a Rate. */
export function rate() {
  return z.string().transform((text, context): Rate => {
    const [, count = '', unit = ''] = /^([1-9]\d{0,8})\s*\/\s*([smh])$/.exec(text.trim()) ?? [];
    const windowS = WINDOW_S[unit];
    if (windowS !== undefined) return { count: Number(count), windowS };
    context.addIssue({
      code: 'custom',
      message: 'a number of requests per second, minute or hour: 20/s, 600/m or 5000/h',
    });
    return z.NEVER;
  });
}
