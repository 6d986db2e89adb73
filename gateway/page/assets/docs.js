/** The API reference: swagger-ui with the gateway's own openapi.json, and the API key of this tab filled in. */
import { apiKey, call, Refusal } from './api.js';
import { showModelExamples } from './model-examples.js';

const reference = /** @type {HTMLElement} */ (document.getElementById('reference'));

async function start() {
  let spec;
  try {
    spec = await (await call('/openapi.json')).json();
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.status === 401) return askForKey();
    showError(thrown);
    return;
  }
  await showModelExamples();
  const { SwaggerUIBundle } = /** @type {any} */ (window);
  const viewer = SwaggerUIBundle({
    spec,
    domNode: reference,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    requestSnippetsEnabled: true,
    validatorUrl: null,
    onComplete() {
      if (apiKey.get() !== '') viewer.preauthorizeApiKey('headerKey', apiKey.get());
    },
  });
}

/** The document itself needs the key: the reference begins with a field for it. */
function askForKey() {
  const form = document.createElement('form');
  form.className = 'error';
  const label = document.createElement('label');
  label.textContent = 'This gateway needs an API key: ';
  const input = document.createElement('input');
  input.type = 'password';
  input.autocomplete = 'off';
  label.append(input);
  const button = document.createElement('button');
  button.textContent = 'Use this key';
  form.append(label, ' ', button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    apiKey.set(input.value.trim());
    form.remove();
    start().catch(showError);
  });
  reference.replaceChildren(form);
  input.focus();
}

/** @param {unknown} thrown */
function showError(thrown) {
  const box = document.createElement('p');
  box.className = 'error';
  box.setAttribute('role', 'alert');
  box.textContent = thrown instanceof Error ? thrown.message : `${thrown}`;
  reference.replaceChildren(box);
}

start().catch(showError);
