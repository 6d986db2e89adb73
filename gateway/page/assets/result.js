/** One side of a result: what one version says. */
import { bars, scoresOf } from './bars.js';
import { make } from './dom.js';
import { outputsTable } from './outputs.js';
import { timesBar } from './times.js';

/**
 * @param {import('./predict.js').Prediction} prediction
 * @param {Node[]} seals
 */
export function sideOf({ answer, version, id, times, areProbabilities }, seals) {
  const scores = scoresOf(answer);
  return make(
    'div',
    { class: 'side' },
    make('p', { class: 'title' }, make('strong', {}, `Version ${version || 'default'}`), ...seals),
    scores ? bars(scores, areProbabilities) : outputsTable(answer),
    timesBar(times),
    make('p', { class: 'id' }, `Request ${id}`),
  );
}
