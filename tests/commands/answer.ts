/** Compares what a command printed with the answer that a page shows. */

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
/** Processors round the sums of a model differently. */
const TOLERANCE = 1e-4;

/**
 * Whether the page tells the truth: the text is the same, but for white space at the ends. `…` on the page stands for any text in one
 * line. A number may differ by 0.01 %, or by what the page has rounded.
 */
export function isAnswer(shown: string, real: string): boolean {
  const [patterns, values] = [shown.trim().match(NUMBER) ?? [], captured(shown.trim(), real.trim())];
  return values?.every((value, at) => isNear(patterns[at] ?? '', value)) ?? false;
}

/** The numbers of the real text at the places where the shown one has some. Undefined if the rest differs. */
function captured(shown: string, real: string): readonly string[] | undefined {
  const literal = shown.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  const pattern = literal.replace(/-?\d+(?:\\\.\d+)?(?:e(?:\\\+|-)?\d+)?/gi, `(${NUMBER.source})`);
  return new RegExp(`^${pattern}$`, 'i').exec(real)?.slice(1);
}

function isNear(shown: string, real: string): boolean {
  const decimals = /\.(\d+)/.exec(shown)?.[1]?.length;
  if (decimals === undefined) return shown === real;
  const allowed = Math.max(0.5 * 10 ** -decimals, Math.abs(Number(real)) * TOLERANCE);
  return Math.abs(Number(shown) - Number(real)) <= allowed * (1 + Number.EPSILON);
}
