/** What the outputs of a signature say in the words of model.yaml. */
import type { ScoreKind } from './scores.ts';
import type { Decision } from './table.ts';

/** Neither: model.yaml says nothing of the outputs. */
export type Meaning = {
  /** The output whose numbers are the scores of classes. */
  readonly scores?: { readonly output: string; readonly classes: readonly string[]; readonly gives: ScoreKind };
  readonly decision?: Decision | undefined;
};
