/** Asks for the API key of this tab. */
import { apiKey } from './api.js';
import { byId } from './dom.js';

/**
 * Opens the dialog.
 * @param {string} why what is shown above the field
 * @returns {Promise<boolean>} whether a key was given
 */
export function askForKey(why) {
  const dialog = byId('key-dialog', HTMLDialogElement);
  // Several requests may have been refused at the same time: one question is enough.
  if (dialog.open) return Promise.resolve(false);
  const input = byId('key', HTMLInputElement);
  byId('key-why', HTMLElement).textContent = why;
  input.value = apiKey.get();
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const isGiven = dialog.returnValue === 'save';
        if (isGiven) apiKey.set(input.value.trim());
        resolve(isGiven);
      },
      { once: true },
    );
  });
}
