/** The answer of POST /predict: the scores of one image, or a list of predictions. */
import type { Answer } from '../../http/answer.ts';
import { problemMembers } from '../../http/problem.ts';
import type { Classification } from '../../pipeline/classify.ts';
import type { Scores } from '../../scores/scores.ts';

export type AnswerForm = {
  /** Only the scores of the first instance, without a list of predictions. */
  readonly flat: boolean;
  /** Scores as a map from class to score, or as a list of classes with scores. */
  readonly format: 'map' | 'list';
};

/** Renders a classification as JSON. */
export function renderClassification({ outcomes, version }: Classification, { flat, format }: AnswerForm): Answer {
  const render = format === 'list' ? renderList : renderMap;
  const items = outcomes.map((outcome) =>
    'scores' in outcome ? render(outcome.scores) : JSON.stringify({ error: problemMembers(outcome.error) }),
  );
  const [first = ''] = items;
  const predictions = flat && format === 'list' ? first : `[${items.join(',')}]`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body: flat && format === 'map' ? first : `{"predictions":${predictions}}`,
  };
}

/**
 * Keeps the order of the classes. An object would not: JavaScript moves integer keys to the front, here and in clients that
 * read the map. They need a list.
 */
function renderMap(scores: Scores): string {
  return `{${scores.map(([name, score]) => `${JSON.stringify(name)}:${JSON.stringify(score)}`).join(',')}}`;
}

function renderList(scores: Scores): string {
  return JSON.stringify(scores.map(([name, score]) => ({ class: name, score })));
}
