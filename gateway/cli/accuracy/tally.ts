/** Joins labels to predictions by their id, and counts by model and version. */
import type { FeedbackLine, PredictionLine } from '../../observe/prediction-log/schema.ts';
import { addToBins, type Bin, emptyBins } from './statistics.ts';

export type Label = Pick<FeedbackLine, 'id' | 'time' | 'label'>;
export type Predicted = Pick<PredictionLine, 'id' | 'model' | 'version' | 'class' | 'score'>;

export type VersionTally = {
  readonly model: string;
  readonly version: number;
  predictions: number;
  /** Those that have a class and a label. */
  labelled: number;
  correct: number;
  /** How often each class was predicted, by the label. */
  readonly confusion: Map<string, Map<string, number>>;
  readonly bins: readonly Bin[];
};

/** All labels have to be added before the first prediction: a label may come at any time. */
export class Tally {
  readonly #labels = new Map<string, Label & { isUsed: boolean }>();
  readonly #versions = new Map<string, VersionTally>();

  /** The last label of an id counts; of two with the same time, the one that is added last. */
  addLabel(label: Label): void {
    const known = this.#labels.get(label.id);
    if (known && known.time > label.time) return;
    this.#labels.set(label.id, { ...label, isUsed: false });
  }

  /** A label is that of every prediction with its id, as of two versions that were asked the same. */
  addPrediction({ id, model, version, class: predicted, score }: Predicted): void {
    const tally = this.#versionOf(model, version);
    tally.predictions += 1;
    const label = this.#labels.get(id);
    if (!label) return;
    label.isUsed = true;
    if (predicted === null) return;
    const isCorrect = label.label === predicted;
    tally.labelled += 1;
    tally.correct += Number(isCorrect);
    const row = tally.confusion.get(label.label) ?? new Map<string, number>();
    tally.confusion.set(label.label, row.set(predicted, (row.get(predicted) ?? 0) + 1));
    if (score !== null) addToBins(tally.bins, score, isCorrect);
  }

  /** Sorted by model and version. */
  get versions(): VersionTally[] {
    const all = [...this.#versions.values()];
    return all.sort((one, other) => compare(one.model, other.model) || one.version - other.version);
  }

  /** The ids that have a label. */
  get labels(): number {
    return this.#labels.size;
  }

  /** Labels whose prediction is not in the log: it was not in the sample, or is in a file that was not read. */
  get labelsWithoutPrediction(): number {
    return this.#labels.values().reduce((sum, { isUsed }) => sum + Number(!isUsed), 0);
  }

  #versionOf(model: string, version: number): VersionTally {
    const key = `${version} ${model}`;
    const counts = { predictions: 0, labelled: 0, correct: 0, confusion: new Map(), bins: emptyBins() };
    const tally = this.#versions.get(key) ?? { model, version, ...counts };
    this.#versions.set(key, tally);
    return tally;
  }
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
