/** The answer of POST /predict: one flat map of class scores, or a list of predictions. */
import type { Answer } from '../../http/answer.ts';
import { problemMembers } from '../../http/problem.ts';
import type { Classification } from '../../pipeline/classify.ts';
import type { Scores } from '../../scores/scores.ts';

/** Renders a classification as JSON. `flat`: only the scores of the first instance, without a list. */
export function renderClassification({ outcomes, version }: Classification, flat: boolean): Answer {
  const items = outcomes.map((outcome) =>
    'scores' in outcome ? renderScores(outcome.scores) : JSON.stringify({ error: problemMembers(outcome.error) }),
  );
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'X-Model-Version': String(version) },
    body: flat ? (items[0] ?? '') : `{"predictions":[${items.join(',')}]}`,
  };
}

/** Keeps the order of the classes. An object would not: JavaScript moves integer keys to the front. */
function renderScores(scores: Scores): string {
  return `{${scores.map(([name, score]) => `${JSON.stringify(name)}:${JSON.stringify(score)}`).join(',')}}`;
}
