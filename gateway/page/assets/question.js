/** What is asked of each version of the chosen model: the form of its scores, and how many classes. */
import { byId, group } from './dom.js';
import { chosen } from './models.js';

const top = byId('top', HTMLInputElement);
const scores = group('scores');

/** What a page starts with. */
export const USUAL = { scores: 'probabilities', top: '5' };

/** What is chosen, for the link. */
export const chosenScores = () => ({ scores: scores.value(), top: top.value });

/**
 * Chooses what a link says.
 * @param {{ scores?: string | null, top?: string | null }} wanted
 */
export function chooseScores({ scores: form, top: count }) {
  if (form) scores.choose(form);
  if (count && Number(count) >= 1) top.value = count;
}

/**
 * The question for a version. Scores and top are left out where the model has no classes.
 * @param {string} version
 * @returns {import('./predict.js').Question}
 */
export function questionFor(version) {
  const model = chosen();
  const isPhoto = model?.takes === 'images';
  const form = hasProbabilities(model) ? scores.value() : isPhoto ? 'raw' : '';
  return { model: model?.name ?? '', version, scores: form, top: form === '' ? '' : top.value };
}

/** @param {import('./models.js').Model | undefined} model */
const hasProbabilities = (model) => model?.takes === 'images' && model.scores !== 'values';

/** Shows the choices that the chosen model has. */
export function showScoreOptions() {
  byId('score-options', HTMLElement).hidden = !hasProbabilities(chosen());
}

/** @param {() => void} onChange */
export function watchQuestion(onChange) {
  scores.watch(onChange);
  top.addEventListener('change', onChange);
}
