/** The times of the stages of a request. */
import { bar, make } from './dom.js';

/** @typedef {{ stage: string, ms: number }} StageTime */

/** Stages with a colour of their own. */
const STAGES = ['fetch', 'decode', 'predict'];

/**
 * Stages and their times from Server-Timing (W3C). The rest of the total is `other`.
 * @param {string} header
 * @returns {StageTime[]}
 */
export function readTimes(header) {
  const all = header.split(',').flatMap((part) => {
    const [stage = '', ...parameters] = part.trim().split(';');
    const duration = parameters.find((one) => one.startsWith('dur='));
    return duration ? [{ stage, ms: Number(duration.slice(4)) }] : [];
  });
  const stages = all.filter(({ stage }) => stage !== 'total');
  const total = all.find(({ stage }) => stage === 'total')?.ms ?? 0;
  const rest = total - stages.reduce((sum, { ms }) => sum + ms, 0);
  return [...stages, ...(rest > 0 ? [{ stage: 'other', ms: rest }] : [])];
}

/**
 * One bar of all stages, with their times in words. Empty where the gateway sent none.
 * @param {StageTime[]} times
 */
export function timesBar(times) {
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  if (total === 0) return '';
  const parts = times.map(({ stage, ms }) => ({ share: ms / total, name: nameOf(stage) }));
  const items = times.map(({ stage, ms }) =>
    make('li', {}, make('i', { class: nameOf(stage) }), `${stage} ${ms.toFixed(1)} ms`),
  );
  const list = make(
    'ul',
    { 'aria-label': 'Times of the stages' },
    ...items,
    make('li', { class: 'total' }, `${total.toFixed(1)} ms in all`),
  );
  return make('div', { class: 'times' }, bar(parts), list);
}

/** @param {string} stage */
const nameOf = (stage) => (STAGES.includes(stage) ? stage : 'other');
