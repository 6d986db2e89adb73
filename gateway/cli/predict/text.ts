/** Predictions as text for a terminal: sorted scores with bars, and the outputs of records by name. */
import type { Row } from '../batch/row.ts';
import { columns } from '../output.ts';

const BAR = 24;

/** One prediction under the name of its input. `top`: how many classes to show. `classes`: those of the model. */
export function rowText({ input = '', prediction, error }: Row, classes: ReadonlySet<string>, top: number): string {
  if (error) return `${input}\n  ${error.kind}: ${error.detail}`;
  return `${input}\n${indent(predictionText(prediction, classes, top))}`;
}

function predictionText(prediction: unknown, classes: ReadonlySet<string>, top: number): string {
  if (typeof prediction !== 'object' || prediction === null || Array.isArray(prediction))
    return JSON.stringify(prediction);
  const scores: [string, number][] = [];
  const others: [string, string][] = [];
  for (const [name, value] of Object.entries(prediction)) {
    if (classes.has(name) && typeof value === 'number') scores.push([name, value]);
    else others.push([name, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  return [...(scores.length > 0 ? [barsText(scores, top)] : []), ...(others.length > 0 ? [table(others)] : [])].join(
    '\n',
  );
}

/** The best scores, each with a bar: of probabilities from 0 to 1, of other scores from the lowest to the highest. */
function barsText(scores: readonly (readonly [string, number])[], top: number): string {
  const sorted = [...scores].sort(([, one], [, other]) => other - one);
  const values = sorted.map(([, score]) => score);
  const [highest, lowest] = [Math.max(1, ...values), Math.min(0, ...values)];
  const lengthOf = (score: number) => Math.round((BAR * (score - lowest)) / (highest - lowest));
  return table(
    sorted.slice(0, top).map(([name, score]) => [name, score.toFixed(3).padStart(8), '█'.repeat(lengthOf(score))]),
  );
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
