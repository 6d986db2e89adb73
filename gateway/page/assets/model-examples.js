/** A request for each model of the gateway, in three languages, made from its signature and its examples. */
import { apiKey, call } from './api.js';
import { make } from './dom.js';
import { templateOf } from './instance-template.js';
import { snippet } from './snippets.js';

/**
 * @typedef {import('./models.js').Model} Model
 * @typedef {import('./models.js').Examples} Examples
 */

const LANGUAGES = /** @type {const} */ ({
  curl: 'curl',
  python: 'Python (requests)',
  javascript: 'JavaScript (fetch)',
});

/** Shows the requests above the reference. Nothing where no model is ready. */
export async function showModelExamples() {
  const section = /** @type {HTMLElement} */ (document.getElementById('examples'));
  /** @type {{ models: Model[] }} */
  const { models } = await (await call('/models')).json();
  const ready = models.filter((model) => model.ready);
  const shown = await Promise.all(ready.map(detailsOf));
  section.append(...shown);
  section.hidden = shown.length === 0;
}

/** @param {Model} model */
async function detailsOf(model) {
  const { name, takes, signature } = model;
  /** @type {Examples} */
  const { pictures, records } = await (await call(`/models/${encodeURIComponent(name)}/examples`)).json();
  const instance =
    takes === 'images'
      ? { title: pictures[0] ?? 'photo.jpg', blob: new Blob() }
      : { title: name, json: JSON.stringify(records[0] ?? templateOf(signature?.inputs ?? [])) };
  const path = `/predict?${new URLSearchParams({ model: name })}`;
  const request = { origin: location.origin, path, hasKey: apiKey.get() !== '', instance };
  const languages = /** @type {import('./snippets.js').Language[]} */ (Object.keys(LANGUAGES));
  const codes = languages.flatMap((language) => [
    make('h3', {}, LANGUAGES[language]),
    make('pre', { tabindex: '0', 'aria-label': `${name} in ${LANGUAGES[language]}` }, snippet(language, request)),
  ]);
  return make('details', {}, make('summary', {}, name), ...codes);
}
