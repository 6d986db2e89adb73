/** Shows predictions: bars for classes, a table for outputs, pictures, times, and refusals in words. */
import { Refusal } from './api.js';
import { bar, canvasOf, make } from './dom.js';

/** @typedef {import('./predict.js').Prediction} Prediction */

/**
 * The class scores of an answer, best first; undefined for an answer without classes.
 * @param {unknown} answer
 * @returns {{ class: string, score: number }[] | undefined}
 */
export function scoresOf(answer) {
  if (typeof answer !== 'object' || answer === null || !('predictions' in answer)) return undefined;
  const list = answer.predictions;
  const isScores = Array.isArray(list) && list.every((one) => typeof one?.class === 'string');
  return isScores ? list : undefined;
}

/**
 * A prediction in a few words, for the history.
 * @param {unknown} answer
 */
export function inWords(answer) {
  const [best] = scoresOf(answer) ?? [];
  if (best) return `${best.class} ${format(best.score)}`;
  const entries = typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
  const [name, value] = entries.find(([, one]) => typeof one === 'number') ?? [];
  return name === undefined ? JSON.stringify(answer).slice(0, 80) : `${name} ${format(value)}`;
}

/**
 * One side of a result: what one version says.
 * @param {Prediction} prediction
 * @param {Node[]} seals
 */
export function sideOf({ answer, version, id, times }, seals) {
  const scores = scoresOf(answer);
  const title = make('p', { class: 'title' }, make('strong', {}, `Version ${version || 'default'}`), ' ', ...seals);
  const shown = scores ? bars(scores) : table(answer);
  return make('div', { class: 'side' }, title, shown, timesOf(times), make('p', { class: 'hint' }, `Request ${id}`));
}

/** @param {{ class: string, score: number }[]} scores */
function bars(scores) {
  const values = scores.map(({ score }) => score);
  const isShare = values.every((value) => value >= 0 && value <= 1);
  const low = isShare ? 0 : Math.min(0, ...values);
  const high = isShare ? 1 : Math.max(...values);
  const items = scores.map(({ class: name, score }) => {
    const share = high > low ? (score - low) / (high - low) : 1;
    const label = make('span', { class: 'name', title: name }, name);
    return make('li', {}, label, bar([{ share }]), make('span', { class: 'value' }, format(score)));
  });
  return make('ol', { class: 'bars' }, ...items);
}

/** @param {unknown} answer */
function table(answer) {
  const entries = typeof answer === 'object' && answer !== null ? Object.entries(answer) : [['answer', answer]];
  const rows = entries.map(([name, value]) => {
    const text = typeof value === 'number' ? format(value) : typeof value === 'string' ? value : JSON.stringify(value);
    return make('tr', {}, make('th', { scope: 'row' }, `${name}`), make('td', {}, text.slice(0, 2000)));
  });
  return make('table', { class: 'values' }, make('tbody', {}, ...rows));
}

/** @param {import('./predict.js').StageTime[]} times */
function timesOf(times) {
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  if (total === 0) return '';
  const parts = times.map(({ stage, ms }) => ({ share: ms / total, name: nameOf(stage) }));
  const items = times.map(({ stage, ms }) =>
    make('li', {}, make('i', { class: nameOf(stage) }), `${stage} ${ms.toFixed(1)} ms`),
  );
  const list = make('ul', { 'aria-label': 'Times of the stages' }, ...items);
  return make('div', { class: 'times' }, bar(parts), list);
}

/** @param {string} stage */
const nameOf = (stage) => (['fetch', 'decode', 'predict'].includes(stage) ? stage : 'other');

/** @param {number} value */
function format(value) {
  if (Number.isInteger(value)) return `${value}`;
  const size = Math.abs(value);
  return size >= 0.001 && size < 1e6 ? value.toFixed(size < 10 ? 4 : 2) : value.toPrecision(4);
}

/**
 * A refusal in words.
 * @param {unknown} thrown
 */
export function errorBox(thrown) {
  const isRefusal = thrown instanceof Refusal;
  const title = isRefusal ? thrown.title : 'The page failed';
  const text = thrown instanceof Error ? thrown.message : `${thrown}`;
  const retry = isRefusal && thrown.retryAfter !== '' ? ` Try again in ${thrown.retryAfter} s.` : '';
  const id = isRefusal && thrown.id !== '' ? [make('p', {}, make('small', {}, `Request ${thrown.id}`))] : [];
  return make('div', { class: 'error', role: 'alert' }, make('strong', {}, title), `${text}${retry}`, ...id);
}

/**
 * A picture with its caption. A picture that the browser cannot show is replaced by words.
 * @param {Blob} blob
 * @param {string} caption
 */
export async function figure(blob, caption) {
  const picture = await canvasOf(blob, caption).catch(() =>
    make('p', { class: 'hint' }, 'This browser cannot show it.'),
  );
  return make('figure', {}, picture, make('figcaption', {}, caption));
}
