/** Predictions of pictures as JSON: the scores of one picture, or a list of predictions. */
import { GatewayError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { problemMembers } from '../http/problem.ts';
import type { Classification, Outcome } from '../pipeline/classify.ts';
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

/** Renders a classification as JSON. Throws `invalid_request` for an id where a class is called id. */
export function renderClassification(
  { outcomes, version }: Classification,
  { flat, format, ids = [] }: AnswerForm,
): Answer {
  const members = (index: number): Member[] => (ids[index] === undefined ? [] : [['id', ids[index]]]);
  const [first] = outcomes;
  const body =
    flat && first
      ? renderFlat(first, members(0), format)
      : `{"predictions":[${outcomes.map((outcome, index) => renderOne(outcome, members(index), format)).join(',')}]}`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body,
  };
}

function renderFlat(outcome: Outcome, id: readonly Member[], format: AnswerForm['format']): string {
  if (format === 'map' || 'error' in outcome) return renderOne(outcome, id, format);
  return renderObject([...id, ['predictions', listText(outcome.scores)]]);
}

function renderOne(outcome: Outcome, id: readonly Member[], format: AnswerForm['format']): string {
  if ('error' in outcome) return renderObject([...id, ['error', JSON.stringify(problemMembers(outcome.error))]]);
  const { scores } = outcome;
  if (format === 'list') return id.length > 0 ? renderObject([...id, ['scores', listText(scores)]]) : listText(scores);
  if (id.length > 0 && scores.some(([name]) => name === 'id')) {
    throw new GatewayError('invalid_request', 'id: the model has a class of this name; leave it out');
  }
  return renderObject([...id, ...scores.map(([name, score]): Member => [name, JSON.stringify(score)])]);
}

function listText(scores: Scores): string {
  return JSON.stringify(scores.map(([name, score]) => ({ class: name, score })));
}
