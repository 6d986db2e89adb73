/** An explanation as text for a terminal. */
import { columns } from '../output.ts';

const BAR = 20;
const MAX_ROWS = 15;

type Region = { readonly attribution: number; readonly box: readonly number[] };

/** What the text shows of an explanation in JSON. */
export type ShownExplanation = {
  readonly method: string;
  readonly target: string;
  readonly baseline: string;
  readonly baseline_score: number;
  readonly score: number;
  readonly attributions:
    | {
        readonly height: number;
        readonly values?: readonly (readonly number[])[];
        readonly regions?: readonly Region[];
      }
    | Readonly<Record<string, number>>;
  readonly standard_error: unknown;
  readonly calls: number;
  readonly completeness: { readonly holds: boolean | null };
};

/** From the score of the baseline to that of the input: the strongest parts first, each with a bar for or against the target. */
export function explanationText(explanation: ShownExplanation): string {
  const { method, target, baseline, baseline_score, score, calls, completeness } = explanation;
  const parts = partsOf(explanation).toSorted(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const shown = parts.slice(0, MAX_ROWS);
  const rest = parts.slice(MAX_ROWS).reduce((sum, [, value]) => sum + value, 0);
  const largest = Math.max(...shown.map(([, value]) => Math.abs(value)), Number.MIN_VALUE);
  const rows = shown.map(([name, value]) => [name, signed(value), bar(value / largest)]);
  if (parts.length > MAX_ROWS) rows.push([`${parts.length - MAX_ROWS} others`, signed(rest), '']);
  const sums = completeness.holds === false ? 'The parts do not add up within the tolerance.\n' : '';
  const head = `${target}: ${number(score)} by ${method}, ${calls} calls of the model`;
  return `${head}\n${columns(
    ['', '', ''],
    [[`baseline (${baseline})`, number(baseline_score), ''], ...rows, ['score', number(score), '']],
  ).trimStart()}\n${sums}`.trimEnd();
}

/** The parts by their names: features, or places in the picture. */
function partsOf({ attributions }: ShownExplanation): [string, number][] {
  if (Array.isArray(attributions.regions)) {
    return (attributions.regions as readonly Region[]).map(({ attribution, box: [top, left, bottom, right] }) => [
      `rows ${top}-${bottom}, columns ${left}-${right}`,
      attribution,
    ]);
  }
  if (Array.isArray(attributions.values)) {
    return (attributions.values as readonly (readonly number[])[]).flatMap((row, y) =>
      row.map((value, x): [string, number] => [`cell ${y + 1},${x + 1}`, value]),
    );
  }
  return Object.entries(attributions as Readonly<Record<string, number>>);
}

function bar(share: number): string {
  const length = Math.round(Math.abs(share) * BAR);
  return share < 0 ? '▒'.repeat(length) : '█'.repeat(length);
}

const number = (value: number) => value.toPrecision(4);
const signed = (value: number) => `${value < 0 ? '' : '+'}${number(value)}`;
