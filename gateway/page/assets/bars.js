/** The scores of classes as bars, best first. */
import { bar, make } from './dom.js';
import { number, percent } from './format.js';

/** @typedef {{ class: string, score: number }} Score */

/**
 * The class scores of an answer, best first; undefined for an answer without classes.
 * @param {unknown} answer
 * @returns {Score[] | undefined}
 */
export function scoresOf(answer) {
  if (typeof answer !== 'object' || answer === null || !('predictions' in answer)) return undefined;
  const list = answer.predictions;
  const isScores = Array.isArray(list) && list.every((one) => typeof one?.class === 'string');
  return isScores ? list : undefined;
}

/**
 * Probabilities have bars from 0 to 1, other scores from the lowest (or 0) to the highest.
 * @param {Score[]} scores
 * @param {boolean} areProbabilities
 */
export function bars(scores, areProbabilities) {
  const values = scores.map(({ score }) => score);
  const low = areProbabilities ? 0 : Math.min(0, ...values);
  const high = areProbabilities ? 1 : Math.max(...values);
  const items = scores.map(({ class: name, score }) => {
    const share = high > low ? (score - low) / (high - low) : 1;
    const value = areProbabilities ? percent(score) : number(score);
    return make(
      'li',
      {},
      make('span', { class: 'name', title: name }, name),
      bar([{ share }]),
      make('span', { class: 'value' }, value),
    );
  });
  return make('ol', { class: 'bars' }, ...items);
}
