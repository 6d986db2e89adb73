/**
 * Occlusion: how much the score falls when a part of the input is hidden. Zeiler and Fergus, Visualizing and Understanding
 * Convolutional Networks, 2014. The attributions do not add up to anything: parts that say the same hide each other.
 */
import type { Attributed } from '../domain/explanation.ts';
import { inTurns } from '../domain/steps.ts';
import { GatewayError } from '../errors.ts';
import { fillOf, type PlainBaseline } from './baselines.ts';
import { requireBudget } from './budget.ts';
import type { Budget, ExplainMethod, PictureSubject, RecordSubject } from './method.ts';
import type { ExplainOptions } from './options.ts';

/** Of the longer side. */
const WINDOW_SHARE = 1 / 6;
/** Strides of a window. */
const STRIDES = 2;
/** The picture itself, and the picture of the baseline. */
const ENDS = 2;

export const occlusion: ExplainMethod = {
  takes: ['picture', 'record'],
  options: ['baseline', 'window', 'stride'],
  baselines: ['blur', 'mean', 'black', 'white'],
  unavailable: () => undefined,
  explain: (subject, options, budget) =>
    subject.kind === 'picture' ? ofPicture(subject, options, budget) : ofRecord(subject, options, budget),
};

/** Hides a square around the middle of each cell of a grid. */
async function ofPicture(subject: PictureSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const { height, width, pixels } = subject;
  const baseline = options.baseline ?? 'blur';
  requireBudget(ENDS + 1, budget, options);
  const fill = await inTurns(fillOf(subject, baseline as PlainBaseline));
  const [score = Number.NaN, baselineScore = Number.NaN] = await subject.scores(ENDS, (index, into) =>
    into.set(index === 0 ? pixels : fill),
  );
  const window = options.window ?? Math.ceil(Math.max(height, width) * WINDOW_SHARE);
  const { rows, columns } = gridOf(subject, window, options, budget);
  const scores = await subject.scores(rows * columns, (index, into) => {
    into.set(pixels);
    const top = middle(Math.floor(index / columns), rows, height) - window / 2;
    const left = middle(index % columns, columns, width) - window / 2;
    hide(subject, { top, left, window }, fill, into);
  });
  const values = scores.map((hidden) => score - hidden);
  return { attributions: { kind: 'grid', rows, columns, values }, baseline, baselineScore, score, tolerance: null };
}

/** The cells: as the request asks for, or as fine as the budget allows. */
function gridOf(
  { height, width }: PictureSubject,
  window: number,
  { stride, place }: ExplainOptions,
  budget: Budget,
): { rows: number; columns: number } {
  const cells = (step: number) => ({
    rows: Math.max(1, Math.round(height / step)),
    columns: Math.max(1, Math.round(width / step)),
  });
  const callsOf = (step: number) => cells(step).rows * cells(step).columns;
  if (stride !== undefined) {
    if (ENDS + callsOf(stride) <= budget.calls) return cells(stride);
    const detail = `${place}explain.stride: ${stride} needs ${ENDS + callsOf(stride)} calls of the model; ${budget.calls} are allowed: take a larger one`;
    throw new GatewayError('invalid_request', detail);
  }
  let step = Math.max(1, window / STRIDES);
  while (callsOf(step) > 1 && !budget.hasRoom(callsOf(step))) step *= 1.1;
  return cells(step);
}

function middle(cell: number, cells: number, pixels: number): number {
  return ((cell + 0.5) * pixels) / cells;
}

type Square = { readonly top: number; readonly left: number; readonly window: number };

function hide(
  { height, width, channels }: PictureSubject,
  { top, left, window }: Square,
  fill: Float32Array,
  into: Float32Array,
): void {
  const within = (value: number, most: number) => Math.min(most, Math.max(0, Math.round(value)));
  const [first, end] = [within(left, width), within(left + window, width)];
  for (let row = within(top, height); row < within(top + window, height); row += 1) {
    const [from, to] = [(row * width + first) * channels, (row * width + end) * channels];
    into.set(fill.subarray(from, to), from);
  }
}

/** Replaces one feature by those of the background's records, and takes the mean of the scores. */
async function ofRecord(subject: RecordSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const { names, background } = subject;
  if (options.window !== undefined || options.stride !== undefined || options.baseline !== undefined) {
    const option = options.baseline === undefined ? 'window, explain.stride' : 'baseline';
    throw new GatewayError('invalid_request', `${options.place}explain.${option}: for pictures; leave it out`);
  }
  const ofOne = names.length + 1;
  requireBudget(1 + ofOne, budget, options);
  const size = Math.min(background.size, Math.floor((budget.calls - 1) / ofOne));
  const [score = Number.NaN] = await subject.scores(
    1,
    () => 0,
    () => true,
  );
  // Feature `names.length` is none: the record of the background alone.
  const scores = await subject.scores(
    size * ofOne,
    (index) => Math.floor(index / ofOne),
    (index, feature) => index % ofOne < names.length && index % ofOne !== feature,
  );
  const of = (feature: number) =>
    Float64Array.from({ length: size }, (_, one) => scores[one * ofOne + feature] ?? Number.NaN);
  const values = Float64Array.from(names, (_, feature) => score - meanOf(of(feature)));
  const errors = size > 1 ? Float64Array.from(names, (_, feature) => errorOf(of(feature))) : undefined;
  return {
    attributions: { kind: 'features', names, values, ...(errors && { errors }) },
    baseline: background.about,
    baselineScore: meanOf(of(names.length)),
    score,
    tolerance: null,
  };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard error of the mean. */
function errorOf(values: Float64Array): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
