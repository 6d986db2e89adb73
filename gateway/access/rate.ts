/** How often somebody may ask: so many requests in a window, written "20/s". */
import { z } from 'zod';

/** At most `count` requests in each window of `windowS` seconds; a window opens with the first request. */
export type Rate = { readonly count: number; readonly windowS: number };

const WINDOW_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A schema that reads "20/s", "600/m" or "5000/h" as a Rate. */
export function rate() {
  return z.string().transform((text, context): Rate => {
    const [, count = '', unit = ''] = /^([1-9]\d{0,8})\s*\/\s*([smh])$/.exec(text.trim()) ?? [];
    const windowS = WINDOW_S[unit];
    if (windowS !== undefined) return { count: Number(count), windowS };
    context.addIssue({
      code: 'custom',
      message: 'a number of requests by second, minute or hour: 20/s, 600/m or 5000/h',
    });
    return z.NEVER;
  });
}
