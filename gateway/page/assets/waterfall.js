/** The features of a record from the score of the baseline to its own, as a waterfall. */
import { bar, make } from './dom.js';
import { number } from './format.js';

/**
 * @typedef {{ target: string, baseline: string, baseline_score: number, score: number,
 *   attributions: Record<string, number>, standard_error: Record<string, number> | null }} Explanation
 */

/** Features that are shown by themselves. The others are one step. */
const MOST = 12;

/** @param {Explanation} explanation */
export function waterfall({ target, baseline, baseline_score: from, score: to, attributions, standard_error: errors }) {
  const steps = stepsOf(attributions);
  let at = from;
  const ends = steps.map(([name, value]) => {
    const start = at;
    at += value;
    return { name, value, start, end: at };
  });
  // From 0, so that the lengths of both totals can be compared.
  const all = [0, from, to, ...ends.map(({ end }) => end)];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const shareOf = (/** @type {number} */ value) => (high > low ? (value - low) / (high - low) : 0);
  const span = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ name) => {
    const [left, right] = [shareOf(Math.min(start, end)), shareOf(Math.max(start, end))];
    return [
      { share: left, name: 'gap' },
      { share: right - left, name },
    ];
  };
  const items = ends.map(({ name, value, start, end }) =>
    line(name, span(start, end, value < 0 ? 'down' : 'up'), `${signed(value)}${errorOf(errors?.[name])}`),
  );
  return make(
    'figure',
    { class: 'waterfall' },
    make(
      'ol',
      { class: 'bars' },
      line('Baseline', span(0, from, 'total'), number(from)),
      ...items,
      line('This record', span(0, to, 'total'), number(to)),
    ),
    make('figcaption', {}, `${target}, compared with ${baseline}.`),
  );
}

/** @param {string} name @param {{ share: number, name: string }[]} parts @param {string} value */
const line = (name, parts, value) =>
  make(
    'li',
    {},
    make('span', { class: 'name', title: name }, name),
    bar(parts),
    make('span', { class: 'value' }, value),
  );

/** The largest first. @param {Record<string, number>} attributions @returns {[string, number][]} */
function stepsOf(attributions) {
  const sorted = Object.entries(attributions).sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const rest = sorted.slice(MOST);
  if (rest.length < 2) return sorted;
  return [...sorted.slice(0, MOST), [`${rest.length} others`, rest.reduce((sum, [, value]) => sum + value, 0)]];
}

/** @param {number} value */
const signed = (value) => `${value < 0 ? '−' : '+'}${number(Math.abs(value))}`;

/** @param {number | undefined} error */
const errorOf = (error) => (error === undefined || error === 0 ? '' : ` ± ${number(error)}`);
