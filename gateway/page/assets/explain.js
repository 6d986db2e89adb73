/** What has moved a score: asked for by a button below a prediction. */
import { make } from './dom.js';
import { errorBox } from './error-box.js';
import { heatMap } from './heat.js';
import { explanationOf, heatOf } from './predict.js';
import { waterfall } from './waterfall.js';

/**
 * @typedef {import('./predict.js').Instance} Instance
 * @typedef {import('./predict.js').Question} Question
 */

/** The methods by their names in words. The first is the quickest that every model has. */
const METHODS = {
  photo: [
    ['occlusion', 'Hide parts (occlusion)'],
    ['shapley', 'Shapley values of regions'],
    ['integrated-gradients', 'Integrated gradients'],
    ['xrai', 'Regions by gradients (XRAI)'],
  ],
  record: [
    ['shapley', 'Shapley values'],
    ['occlusion', 'Replace one feature (occlusion)'],
    ['integrated-gradients', 'Integrated gradients'],
  ],
};

/**
 * The part of a result that explains it. It asks nothing before its button is pressed.
 * @param {Instance} instance
 * @param {Question} question
 * @param {boolean} isPhoto
 */
export function explainPart(instance, question, isPhoto) {
  const options = METHODS[isPhoto ? 'photo' : 'record'].map(([value = '', words = '']) =>
    make('option', { value }, words),
  );
  const method = make('select', { 'aria-label': 'Method of the explanation' }, ...options);
  const button = make('button', { type: 'button' }, 'Explain');
  const shown = make('div', { class: 'shown', 'aria-live': 'polite' });
  button.addEventListener('click', async () => {
    button.disabled = true;
    shown.replaceChildren(make('p', { class: 'hint' }, 'Explaining… This takes hundreds of predictions.'));
    const show = isPhoto ? showHeat : showRecord;
    shown.replaceChildren(await show(instance, question, method.value).catch(errorBox));
    button.disabled = false;
  });
  return make('section', { class: 'explain' }, make('div', { class: 'actions' }, method, button), shown);
}

/** @param {Instance} instance @param {Question} question @param {string} method */
async function showHeat(instance, question, method) {
  const { heat, seen } = await heatOf(instance, question, method);
  return heatMap(heat, seen);
}

/** @param {Instance} instance @param {Question} question @param {string} method */
async function showRecord(instance, question, method) {
  return waterfall(await explanationOf(instance, question, method));
}
