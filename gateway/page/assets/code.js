/** The code for the prediction that is shown, in three languages. */
import { apiKey } from './api.js';
import { copy } from './copy.js';
import { byId, group } from './dom.js';
import { chosen, chosenVersions } from './models.js';
import { addressOf } from './predict.js';
import { questionFor } from './question.js';
import { recordText } from './record.js';
import { snippet } from './snippets.js';

/** @typedef {import('./predict.js').Instance} Instance */

const language = group('language');

/** The instance in the code. @type {Instance | undefined} */
let instance;

/** Shows the code for an instance, or for one of the kind that the model takes. @param {Instance} [shown] */
export function showCode(shown) {
  instance = shown;
  const [version = ''] = chosenVersions();
  const request = {
    origin: location.origin,
    path: addressOf(questionFor(version)),
    hasKey: apiKey.get() !== '',
    instance: instance ?? usualInstance(),
  };
  const text = snippet(/** @type {import('./snippets.js').Language} */ (language.value()), request);
  byId('code', HTMLElement).textContent = text;
}

/** @returns {Instance} */
function usualInstance() {
  if (chosen()?.takes === 'images') return { title: 'photo.jpg', blob: new Blob() };
  return { title: 'record', json: recordText() };
}

export function watchCode() {
  language.watch(() => showCode(instance));
  byId('copy-code', HTMLButtonElement).addEventListener('click', () =>
    copy(byId('code', HTMLElement).textContent ?? ''),
  );
  byId('copy-link', HTMLButtonElement).addEventListener('click', () => copy(location.href));
}
