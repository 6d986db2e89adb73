/** Asks for the API key of this tab. */
import { apiKey } from './api.js';
import { make } from './dom.js';

/** The question that is open. @type {Promise<boolean> | undefined} */
let asked;

/**
 * Opens the dialog. Several requests may be refused at the same time: they share one question.
 * @param {string} why what is shown above the field
 * @returns {Promise<boolean>} whether a key was given
 */
export function askForKey(why) {
  asked ??= ask(why).finally(() => {
    asked = undefined;
  });
  return asked;
}

/** @param {string} why @returns {Promise<boolean>} */
function ask(why) {
  const input = make('input', { id: 'key', type: 'password', autocomplete: 'off', spellcheck: 'false' });
  input.value = apiKey.get();
  const use = make('button', { type: 'submit', value: 'save', class: 'primary' }, 'Use this key');
  const cancel = make('button', { type: 'submit', value: 'cancel' }, 'Cancel');
  const form = make(
    'form',
    { method: 'dialog' },
    make('h2', { id: 'key-title' }, 'API key'),
    make('p', { id: 'key-why', class: 'hint' }, why),
    make('label', {}, 'Key', input),
    make('div', { class: 'actions' }, use, cancel),
  );
  const names = { id: 'key-dialog', 'aria-labelledby': 'key-title', 'aria-describedby': 'key-why' };
  const dialog = make('dialog', names, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const isGiven = dialog.returnValue === 'save';
      if (isGiven) apiKey.set(input.value.trim());
      dialog.remove();
      resolve(isGiven);
    });
  });
}
