/** A request for each model of the gateway, in three languages, made from its signature and its examples. */
import { apiKey, call } from './api.js';
import { copy } from './copy.js';
import { byId, group } from './dom.js';
import { templateOf } from './instance-template.js';
import { snippet } from './snippets.js';

/**
 * @typedef {import('./models.js').Model} Model
 * @typedef {import('./models.js').Examples} Examples
 */

const language = group('language');
const model = byId('example-model', HTMLSelectElement);
const code = byId('code', HTMLElement);

/** An instance for each model. @type {Map<string, import('./predict.js').Instance>} */
const instances = new Map();

/** Shows the requests above the reference. Nothing where no model is ready. */
export async function showModelExamples() {
  /** @type {{ models: Model[] }} */
  const { models } = await (await call('/models')).json();
  const ready = models.filter((one) => one.ready);
  const found = await Promise.all(ready.map(instanceOf));
  for (const [index, { name }] of ready.entries()) {
    const instance = found[index];
    if (instance) instances.set(name, instance);
  }
  model.replaceChildren(...ready.map(({ name }) => new Option(name, name)));
  byId('examples', HTMLElement).hidden = ready.length === 0;
  showCode();
}

export function watchModelExamples() {
  model.addEventListener('change', showCode);
  language.watch(showCode);
  byId('copy-code', HTMLButtonElement).addEventListener('click', () => copy(code.textContent ?? ''));
}

function showCode() {
  const instance = instances.get(model.value);
  if (!instance) return;
  const path = `/predict?${new URLSearchParams({ model: model.value })}`;
  const request = { origin: location.origin, path, hasKey: apiKey.get() !== '', instance };
  code.textContent = snippet(/** @type {import('./snippets.js').Language} */ (language.value()), request);
}

/** @param {Model} model @returns {Promise<import('./predict.js').Instance>} */
async function instanceOf({ name, takes, signature }) {
  /** @type {Examples} */
  const { pictures, records } = await (await call(`/models/${encodeURIComponent(name)}/examples`)).json();
  if (takes === 'images') return { title: pictures[0] ?? 'photo.jpg', blob: new Blob() };
  return { title: name, json: JSON.stringify(records[0] ?? templateOf(signature?.inputs ?? [])) };
}
