/** Predictions as text for a terminal: sorted scores with bars, and the outputs of records by name. */
import { styleText } from 'node:util';
import type { Row } from '../batch/row.ts';
import { columns } from '../output.ts';

const BAR = 24;
/** The last block of a bar, by eighths. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export type TextOptions = {
  /** Those of the model: other numbers are outputs. */
  readonly classes: ReadonlySet<string>;
  /** How many classes to show. */
  readonly top: number;
  readonly areProbabilities: boolean;
  /** Colours text. */
  readonly style: Style;
};

type Style = (format: 'bold' | 'cyan' | 'red', text: string) => string;

/** Colours for a terminal on stdout; none with NO_COLOR (no-color.org). */
export const terminalStyle: Style = (format, text) => styleText(format, text, { stream: process.stdout });

/** One prediction under the name of its input. */
export function rowText({ input = '', prediction, error }: Row, options: TextOptions): string {
  const { style } = options;
  const title = style('bold', input);
  if (error) return `${title}\n  ${style('red', error.kind)}: ${error.detail}`;
  return `${title}\n${indent(predictionText(prediction, options))}`;
}

function predictionText(prediction: unknown, options: TextOptions): string {
  if (typeof prediction !== 'object' || prediction === null || Array.isArray(prediction))
    return JSON.stringify(prediction);
  const scores: [string, number][] = [];
  const others: [string, string][] = [];
  for (const [name, value] of Object.entries(prediction)) {
    if (options.classes.has(name) && typeof value === 'number') scores.push([name, value]);
    else others.push([name, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  const parts = [
    ...(scores.length > 0 ? [barsText(scores, options)] : []),
    ...(others.length > 0 ? [table(others)] : []),
  ];
  return parts.join('\n');
}

/**
 * The best scores, each with a bar: of probabilities from 0 to 1, of other scores from the lowest to the highest. The names of
 * all classes have the same width, so that the bars of several pictures are below each other.
 */
function barsText(
  scores: readonly (readonly [string, number])[],
  { classes, top, areProbabilities, style }: TextOptions,
): string {
  const best = [...scores].sort(([, one], [, other]) => other - one).slice(0, top);
  const values = scores.map(([, score]) => score);
  const [highest, lowest] = areProbabilities ? [1, 0] : [Math.max(0, ...values), Math.min(0, ...values)];
  const width = Math.max(...[...classes].map((name) => name.length));
  const lines = best.map(([name, score], index) => {
    const value = areProbabilities ? `${(score * 100).toFixed(1)} %` : score.toFixed(3);
    const label = `${name.padEnd(width)}  ${value.padStart(8)}`;
    const share = highest > lowest ? (score - lowest) / (highest - lowest) : 1;
    return `${index === 0 ? style('bold', label) : label}  ${style('cyan', bar(share))}`.trimEnd();
  });
  return lines.join('\n');
}

/** A bar in steps of an eighth of a character. `share`: from 0 to 1. */
function bar(share: number): string {
  const eighths = Math.round(BAR * 8 * Math.min(1, Math.max(0, share)));
  return `${'█'.repeat(eighths >> 3)}${EIGHTHS[eighths & 7]}`;
}

/** Rows in aligned columns, without the line of the head. */
function table(rows: readonly (readonly string[])[]): string {
  const head = (rows[0] ?? []).map(() => '');
  return columns(head, rows).split('\n').slice(1).join('\n');
}

const indent = (text: string) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
