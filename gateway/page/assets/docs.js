/** The API reference: the gateway's own openapi.json, a request for each model, and the API key of this tab filled in. */
import { call, Refusal } from './api.js';
import { byId } from './dom.js';
import { errorBox } from './error-box.js';
import { askForKey } from './key-dialog.js';
import { showModelExamples, watchModelExamples } from './model-examples.js';
import { showReference } from './viewer.js';

const reference = byId('reference', HTMLElement);

/** Fills the key into the try-out. @type {(() => void) | undefined} */
let fillKey;

async function start() {
  try {
    const spec = await (await call('/openapi.json')).json();
    await showModelExamples();
    fillKey = showReference(spec, reference);
  } catch (thrown) {
    const box = errorBox(thrown);
    box.classList.add('alone');
    reference.replaceChildren(box);
    if (thrown instanceof Refusal && thrown.status === 401) await renewKey('This gateway needs an API key.');
  }
}

/** @param {string} why */
async function renewKey(why) {
  if (!(await askForKey(`${why} It is kept until this tab is closed.`))) return;
  if (!fillKey) return start();
  fillKey();
  await showModelExamples();
}

watchModelExamples();
/** @param {unknown} thrown */
const showError = (thrown) => reference.before(errorBox(thrown));

byId('key-button', HTMLButtonElement).addEventListener('click', () => {
  renewKey('The try-out sends it with each request.').catch(showError);
});
start().catch(showError);
