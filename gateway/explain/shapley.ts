/** Sampled Shapley values: of the superpixels of a picture, or of the features of a record. */
import type { Attributed } from '../domain/explanation.ts';
import { inTurns } from '../domain/steps.ts';
import { fillOf, type PlainBaseline } from './baselines.ts';
import { requireBudget } from './budget.ts';
import type { Budget, ExplainMethod, PictureSubject, RecordSubject } from './method.ts';
import type { ExplainOptions } from './options.ts';
import { type Game, leastCalls, type Sampling, samplePermutations } from './permutations.ts';
import { slic } from './slic.ts';

const REGIONS = 48;
const ERROR = 0.05;
/** Sums of numbers as far apart as scores are: far above what float64 rounds. */
const ROUNDING = 1e-9;

export const shapley: ExplainMethod = {
  takes: ['picture', 'record'],
  options: ['samples', 'error', 'seed', 'regions', 'baseline'],
  baselines: ['blur', 'mean', 'black', 'white'],
  unavailable: () => undefined,
  explain: (subject, options, budget) =>
    subject.kind === 'picture' ? ofPicture(subject, options, budget) : ofRecord(subject, options, budget),
};

async function ofRecord(subject: RecordSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const { names, background } = subject;
  requireBudget(leastCalls(names.length), budget, options);
  const game: Game = { players: names.length, backgrounds: background.size, scores: subject.scores };
  const sampled = await samplePermutations(game, samplingOf(options, budget));
  const { values, errors } = sampled;
  return {
    attributions: { kind: 'features', names, values, ...(errors && { errors }) },
    baseline: background.about,
    ...scoresOf(sampled),
  };
}

async function ofPicture(subject: PictureSubject, options: ExplainOptions, budget: Budget): Promise<Attributed> {
  const baseline = options.baseline ?? 'blur';
  const labels = await inTurns(slic(subject, options.regions ?? REGIONS));
  const regions = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  requireBudget(leastCalls(regions), budget, options);
  const fill = await inTurns(fillOf(subject, baseline as PlainBaseline));
  const game: Game = {
    players: regions,
    backgrounds: 1,
    scores: (count, _from, has) =>
      subject.scores(count, (index, into) => {
        const shown = Uint8Array.from({ length: regions }, (_, region) => Number(has(index, region)));
        mix(subject, { fill, labels, shown }, into);
      }),
  };
  const sampled = await samplePermutations(game, samplingOf(options, budget));
  const { values, errors } = sampled;
  return {
    attributions: { kind: 'regions', labels, values, ...(errors && { errors }) },
    baseline,
    ...scoresOf(sampled),
  };
}

function samplingOf({ seed = 0, samples, error = ERROR }: ExplainOptions, budget: Budget): Sampling {
  return {
    seed,
    error,
    pairs: samples ?? Number.POSITIVE_INFINITY,
    hasRoom: (calls) => budget.hasRoom(calls),
  };
}

function scoresOf({ score, baselineScore, values }: Awaited<ReturnType<typeof samplePermutations>>) {
  const scale = values.reduce((sum, value) => sum + Math.abs(value), Math.abs(score) + Math.abs(baselineScore));
  return { score, baselineScore, tolerance: ROUNDING * scale };
}

type Mixed = { readonly fill: Float32Array; readonly labels: Uint16Array; readonly shown: Uint8Array };

/** The picture where its regions are shown, the fill elsewhere. */
function mix({ pixels, channels }: PictureSubject, { fill, labels, shown }: Mixed, into: Float32Array): void {
  for (let pixel = 0; pixel < labels.length; pixel += 1) {
    const from = shown[labels[pixel] as number] === 1 ? pixels : fill;
    for (let at = pixel * channels; at < (pixel + 1) * channels; at += 1) into[at] = from[at] as number;
  }
}
