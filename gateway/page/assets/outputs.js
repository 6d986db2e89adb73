/** The outputs of an answer without classes, as a table; and any prediction in a few words. */
import { scoresOf } from './bars.js';
import { make } from './dom.js';
import { number, percent } from './format.js';

/** Characters of an output that are shown: a large tensor would slow the page. */
const MAX_SHOWN = 2000;

/** @param {unknown} answer */
const entriesOf = (answer) => (typeof answer === 'object' && answer !== null ? Object.entries(answer) : []);

/** @param {unknown} answer */
export function outputsTable(answer) {
  const entries = typeof answer === 'object' && answer !== null ? entriesOf(answer) : [['answer', answer]];
  const rows = entries.map(([name, value]) => {
    const text = typeof value === 'number' ? number(value) : typeof value === 'string' ? value : JSON.stringify(value);
    return make('tr', {}, make('th', { scope: 'row' }, `${name}`), make('td', {}, text.slice(0, MAX_SHOWN)));
  });
  return make('table', { class: 'values' }, make('tbody', {}, ...rows));
}

/**
 * A prediction in a few words: its best class, or its first number.
 * @param {unknown} answer
 * @param {boolean} areProbabilities
 */
export function inWords(answer, areProbabilities) {
  const [best] = scoresOf(answer) ?? [];
  if (best) return `${best.class} ${areProbabilities ? percent(best.score) : number(best.score)}`;
  const [name, value] = entriesOf(answer).find(([, one]) => typeof one === 'number') ?? [];
  return name === undefined ? JSON.stringify(answer).slice(0, 80) : `${name} ${number(value)}`;
}
