/** Copies a text, and says so. */
import { byId } from './dom.js';

/** @param {string} text */
export async function copy(text) {
  const copied = byId('copied', HTMLElement);
  try {
    await navigator.clipboard.writeText(text);
    copied.textContent = 'Copied.';
  } catch {
    copied.textContent = 'The browser does not allow it. Select the text and copy it.';
  }
}
