/** The types of settings. Each parses the text of a setting; its error says what is allowed. */
import { z } from 'zod';

/** A number with one of the given units: `quantity({ ms: 1, s: 1000 }, …)` parses "20s" to 20000. */
function quantity(units: Record<string, number>, allowed: string) {
  return z.string().transform((text, context) => {
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
    const value = Number(digits) * (Object.hasOwn(units, unit) ? (units[unit] ?? Number.NaN) : Number.NaN);
    if (digits !== '' && Number.isSafeInteger(value) && value > 0) return value;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

/** Milliseconds. */
export const duration = () =>
  quantity({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }, 'a duration above zero, such as 500ms, 20s or 2m');

export const bytes = () =>
  quantity(
    { '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
    'a size above zero, such as 500kB, 10MB or 16MiB',
  );

export const pixels = () => quantity({ '': 1, MP: 1e6 }, 'a number of pixels above zero, such as 2000000 or 50MP');

/** A part of a whole, such as 10%, as a number from 0 to 1. */
export const share = () =>
  z.string().transform((text, context) => {
    const [, digits = ''] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim()) ?? [];
    const percent = digits === '' ? Number.NaN : Number(digits);
    if (percent >= 0 && percent <= 100) return percent / 100;
    context.addIssue({ code: 'custom', message: 'a percentage from 0% to 100%, such as 10%' });
    return z.NEVER;
  });

export function integer(min: number, max: number) {
  return z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

export const port = () => integer(0, 65_535);

export function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  return z.enum(choices, { error: `one of ${choices.join(', ')}` });
}

export const trueOrFalse = () => oneOf('true', 'false').transform((word) => word === 'true');

/** Entries separated by commas; may be empty. */
export const list = () => z.string().transform((text) => text.split(',').flatMap((entry) => entry.trim() || []));

/** At least one entry. */
export function nonEmptyList(allowed: string, isAllowed: (entry: string) => boolean) {
  return list().transform((entries, context) => {
    if (entries.length > 0 && entries.every(isAllowed)) return entries;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

export function someOf<const Choice extends string>(...choices: readonly Choice[]) {
  const isChoice = (entry: string) => choices.some((choice) => choice === entry);
  return nonEmptyList(`a comma-separated choice of ${choices.join(', ')}`, isChoice).transform(
    (entries): readonly Choice[] => choices.filter((choice) => entries.includes(choice)),
  );
}

export const ports = () =>
  nonEmptyList(
    'a comma-separated list of ports from 1 to 65535',
    (entry) => /^\d+$/.test(entry) && Number(entry) >= 1 && Number(entry) <= 65_535,
  ).transform((entries) => entries.map(Number));
