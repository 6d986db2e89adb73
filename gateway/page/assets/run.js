/** Predicts the instances that a person gives, and shows each result as it comes. */
import { Refusal } from './api.js';
import { byId, make } from './dom.js';
import { errorBox } from './error-box.js';
import { explainPart } from './explain.js';
import { remember } from './history.js';
import { chosen, chosenVersions, sealsOf } from './models.js';
import { inWords } from './outputs.js';
import { startPictures } from './pictures.js';
import { predict } from './predict.js';
import { questionFor } from './question.js';
import { markMistake } from './record.js';
import { sideOf } from './result.js';

/**
 * @typedef {import('./predict.js').Instance} Instance
 * @typedef {import('./predict.js').Prediction} Prediction
 */

/** Instances that are asked at the same time. */
const AT_ONCE = 3;

const results = byId('results', HTMLElement);
const status = byId('status', HTMLElement);

/** The number of the last run: an older one writes no more. */
let lastRun = 0;

/** Removes all results. @param {string} title @param {string} text what is shown in their place */
export function clearResults(title, text) {
  lastRun += 1;
  status.textContent = '';
  results.className = '';
  results.replaceChildren(make('p', { class: 'empty' }, make('strong', {}, title), text));
}

/**
 * Predicts the instances.
 * @param {Instance[]} instances
 * @returns {Promise<Refusal | undefined>} the refusal for a missing or wrong API key
 */
export async function run(instances) {
  lastRun += 1;
  const mine = lastRun;
  const boxes = instances.map(({ title }) =>
    make(
      'article',
      { class: 'result', 'aria-busy': 'true' },
      make('h3', {}, title),
      make('p', { class: 'hint' }, 'Predicting…'),
    ),
  );
  results.className = instances.length > 1 ? 'gallery' : '';
  // One result says by itself whether it is there.
  status.className = instances.length > 1 ? 'hint' : 'for-ears';
  results.replaceChildren(...boxes);
  status.textContent = `Predicting ${countOf(instances)}…`;
  scrollToResults();
  /** @type {unknown[]} */
  const refusals = [];
  const waiting = [...instances.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next && mine === lastRun; next = waiting.shift()) {
      const [index, instance] = next;
      const refusal = await show(instance, /** @type {HTMLElement} */ (boxes[index]), () => mine === lastRun);
      if (refusal !== undefined) refusals.push(refusal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (mine !== lastRun) return undefined;
  status.textContent =
    refusals.length === 0 ? `Predicted ${countOf(instances)}.` : `${refusals.length} of ${countOf(instances)} failed.`;
  return refusals.filter((refusal) => refusal instanceof Refusal).find(({ status: code }) => code === 401);
}

/** @param {readonly unknown[]} instances */
const countOf = ({ length }) => (length === 1 ? '1 instance' : `${length} instances`);

/**
 * Asks every chosen version about one instance, and fills its box.
 * @param {Instance} instance
 * @param {HTMLElement} box
 * @param {() => boolean} isWanted
 * @returns {Promise<unknown>} why a version gave no answer
 */
async function show(instance, box, isWanted) {
  const isPhoto = chosen()?.takes === 'images';
  const pictures = isPhoto ? startPictures(instance) : undefined;
  if (pictures) box.lastElementChild?.before(pictures.element);
  const questions = chosenVersions().map(questionFor);
  const asked = await Promise.allSettled(questions.map((question) => predict(instance, question)));
  if (!isWanted()) return undefined;
  const refusal = asked.find((outcome) => outcome.status === 'rejected')?.reason;
  if (refusal instanceof Refusal && instance.json !== undefined) markMistake(refusal.message);
  const sides = asked.map((outcome) => {
    if (outcome.status === 'rejected') return errorBox(outcome.reason);
    keep(instance, outcome.value);
    return sideOf(outcome.value, sealsOf(outcome.value.version));
  });
  box.lastElementChild?.replaceWith(make('div', { class: 'sides' }, ...sides));
  box.setAttribute('aria-busy', 'false');
  const [question] = questions;
  if (refusal === undefined && question) {
    box.append(explainPart(instance, question, isPhoto));
    await pictures?.showSeen(instance, question);
  } else pictures?.dropSeen();
  return refusal;
}

/** Brings the results into view where they are below, as on a phone. */
function scrollToResults() {
  const output = byId('output', HTMLElement);
  const { top } = output.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.6) output.scrollIntoView({ block: 'start' });
}

/** Keeps a prediction in the history. @param {Instance} instance @param {Prediction} prediction */
function keep({ title, url, json }, { answer, version, areProbabilities }) {
  remember({
    at: Date.now(),
    model: chosen()?.name ?? '',
    version,
    title,
    words: inWords(answer, areProbabilities),
    ...(url !== undefined && { url }),
    ...(json !== undefined && { json }),
  });
}
