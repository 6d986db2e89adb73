/** Predictions of pictures as JSON: the scores of one picture, or a list of predictions. */
import { GatewayError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { problemMembers } from '../http/problem.ts';
import type { Classification, Outcome } from '../pipeline/classify.ts';
import { outlierMembers } from '../pipeline/outliers.ts';
import type { Scores } from '../scores/scores.ts';
import type { Member } from '../tensor/record-id.ts';
import { renderObject } from './object.ts';

export type AnswerForm = {
  /** Only the scores of the first instance, without a list of predictions. */
  readonly flat: boolean;
  /** Scores as a map from class to score, or as a list of classes with scores. */
  readonly format: 'map' | 'list';
  /** The id of each instance as JSON text, where it has one: it comes back with the scores. */
  readonly ids?: readonly (string | undefined)[] | undefined;
};

/** Renders a classification as JSON. Throws `invalid_request` for an id where a class is called id, and the same for outlier. */
export function renderClassification(
  { outcomes, version }: Classification,
  { flat, format, ids = [] }: AnswerForm,
): Answer {
  const [first] = outcomes;
  const body =
    flat && first
      ? renderFlat(first, besideScores(first, ids[0]), format)
      : `{"predictions":[${outcomes.map((outcome, index) => renderOne(outcome, besideScores(outcome, ids[index]), format)).join(',')}]}`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body,
  };
}

/** What a prediction has besides its scores. */
function besideScores(outcome: Outcome, id: string | undefined): Member[] {
  const outlier = 'error' in outcome ? undefined : outcome.outlier;
  return [
    ...(id === undefined ? [] : [['id', id] as const]),
    ...(outlier ? [['outlier', JSON.stringify(outlierMembers(outlier))] as const] : []),
  ];
}

function renderFlat(outcome: Outcome, beside: readonly Member[], format: AnswerForm['format']): string {
  if (format === 'map' || 'error' in outcome) return renderOne(outcome, beside, format);
  return renderObject([...beside, ['predictions', listText(outcome.scores)]]);
}

function renderOne(outcome: Outcome, beside: readonly Member[], format: AnswerForm['format']): string {
  if ('error' in outcome) return renderObject([...beside, ['error', JSON.stringify(problemMembers(outcome.error))]]);
  const { scores } = outcome;
  if (format === 'list') {
    return beside.length > 0 ? renderObject([...beside, ['scores', listText(scores)]]) : listText(scores);
  }
  const taken = beside.find(([member]) => scores.some(([name]) => name === member));
  if (taken) throw new GatewayError('invalid_request', `${taken[0]}: the model has a class of this name; leave it out`);
  return renderObject([...beside, ...scores.map(([name, score]): Member => [name, JSON.stringify(score)])]);
}

function listText(scores: Scores): string {
  return JSON.stringify(scores.map(([name, score]) => ({ class: name, score })));
}
