/** An explanation as the JSON of answers has it. */
import type { Explanation, Grid, Regions } from '../domain/explanation.ts';
import { completenessOf } from './completeness.ts';

/** The most rows and columns of a grid, where the request does not say. */
const CELLS = 32;

/** The members by their names. `cells`: the most rows and columns of a grid. */
export function explanationMembers(explanation: Explanation, cells = CELLS) {
  const { method, target, baseline, baselineScore, score, calls } = explanation;
  return {
    method,
    target,
    baseline,
    baseline_score: baselineScore,
    score,
    ...attributionMembers(explanation, cells),
    calls,
    completeness: completenessOf(explanation),
  };
}

function attributionMembers(explanation: Explanation, cells: number) {
  const { attributions, picture, tolerance } = explanation;
  if (attributions.kind === 'features') {
    const { names, values, errors } = attributions;
    return { attributions: named(names, values), standard_error: errors ? named(names, errors) : null };
  }
  const { height = 0, width = 0 } = picture ?? {};
  if (attributions.kind === 'regions') return regionMembers(attributions, { height, width });
  // Attributions that add up are summed, others are means.
  const grid = coarser(attributions, cells, tolerance !== null);
  const { rows, columns, values } = grid;
  const list = Array.from({ length: rows }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
  return { attributions: { height, width, rows, columns, values: list }, standard_error: null };
}

/** An object without a prototype: a feature may be called __proto__. */
function named(names: readonly string[], values: Float64Array): Readonly<Record<string, number>> {
  const members: Record<string, number> = Object.create(null);
  for (const [index, name] of names.entries()) members[name] = values[index] ?? Number.NaN;
  return members;
}

function coarser({ rows, columns, values }: Grid, cells: number, isSum: boolean): Omit<Grid, 'kind'> {
  const [down, across] = [Math.ceil(rows / cells), Math.ceil(columns / cells)];
  if (down === 1 && across === 1) return { rows, columns, values };
  const size = { rows: Math.ceil(rows / down), columns: Math.ceil(columns / across) };
  const sums = new Float64Array(size.rows * size.columns);
  const counts = new Float64Array(sums.length);
  for (const [index, value] of values.entries()) {
    const cell = Math.floor(Math.floor(index / columns) / down) * size.columns + Math.floor((index % columns) / across);
    sums[cell] = (sums[cell] as number) + value;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return { ...size, values: isSum ? sums : sums.map((sum, cell) => sum / (counts[cell] as number)) };
}

type Size = { readonly height: number; readonly width: number };

function regionMembers({ labels, values, errors }: Regions, { height, width }: Size) {
  const pixels = new Uint32Array(values.length);
  const boxes = Array.from(values, () => ({ top: height, left: width, bottom: 0, right: 0 }));
  const runs: number[] = [];
  for (let start = 0; start < labels.length; ) {
    const label = labels[start] as number;
    const [row, left] = [Math.floor(start / width), start % width];
    const rowEnd = (row + 1) * width;
    let end = start + 1;
    while (end < rowEnd && labels[end] === label) end += 1;
    pixels[label] = (pixels[label] as number) + end - start;
    const box = boxes[label] as (typeof boxes)[number];
    box.top = Math.min(box.top, row);
    box.left = Math.min(box.left, left);
    box.bottom = row + 1;
    box.right = Math.max(box.right, left + end - start);
    if (runs.at(-2) === label) runs[runs.length - 1] = (runs.at(-1) as number) + end - start;
    else runs.push(label, end - start);
    start = end;
  }
  const regions = Array.from(values, (attribution, region) => {
    const { top, left, bottom, right } = boxes[region] as (typeof boxes)[number];
    return { attribution, pixels: pixels[region] as number, box: [top, left, bottom, right] };
  });
  return { attributions: { height, width, regions, labels: runs }, standard_error: errors ? [...errors] : null };
}
