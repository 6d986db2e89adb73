/** The playground: joins the choice of a model, its input, the predictions, and what can be copied from them. */
import { apiKey, Refusal } from './api.js';
import { byId, make } from './dom.js';
import { remember, showHistory, watchHistory } from './history.js';
import { askForKey } from './key-dialog.js';
import {
  choose,
  chosen,
  chosenVersions,
  describeModel,
  loadExamples,
  loadModels,
  seal,
  showVersions,
} from './models.js';
import { showExamples, watchPhotos } from './photos.js';
import { addressOf, predict, seenPixels } from './predict.js';
import { showRecord, watchRecord } from './record.js';
import { errorBox, figure, inWords, sideOf } from './results.js';
import { snippet } from './snippets.js';

/** @typedef {import('./predict.js').Instance} Instance */

/** Photos that are asked at the same time. */
const AT_ONCE = 3;

const results = byId('results', HTMLElement);
const status = byId('status', HTMLElement);
const scores = byId('scores', HTMLSelectElement);
const top = byId('top', HTMLInputElement);

/** The instances that are shown. @type {Instance[]} */
let shown = [];
/** Pictures that prove the chosen model. */
let proofs = 0;
/** The number of the last run: an older one writes no more. */
let lastRun = 0;
/** @type {import('./snippets.js').Language} */
let language = 'curl';

/** The question for a version of the chosen model. @param {string} version */
function question(version) {
  const model = chosen();
  const hasScores = model?.takes === 'images' && model.scores !== 'values';
  const asked = hasScores ? scores.value : model?.takes === 'images' ? 'raw' : '';
  return { model: model?.name ?? '', version, scores: asked, top: asked === '' ? '' : top.value };
}

/** Predicts the instances, and shows each as it comes. @param {Instance[]} instances */
async function run(instances) {
  lastRun += 1;
  const mine = lastRun;
  shown = instances;
  showCode();
  writeLink();
  const boxes = instances.map(({ title }) => {
    const head = make('div', { class: 'title' }, make('h3', {}, title));
    return make('article', { class: 'result', 'aria-busy': 'true' }, head, make('p', { class: 'hint' }, 'Predicting…'));
  });
  results.replaceChildren(...boxes);
  status.textContent = `Predicting ${countOf(instances)}…`;
  byId('output', HTMLElement).scrollIntoView({ block: 'nearest' });
  let failed = 0;
  const waiting = [...instances.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next && mine === lastRun; next = waiting.shift()) {
      const [index, instance] = next;
      const isGood = await show(instance, /** @type {HTMLElement} */ (boxes[index]), mine);
      if (!isGood) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (mine !== lastRun) return;
  status.textContent = failed === 0 ? `Predicted ${countOf(instances)}.` : `${failed} of ${countOf(instances)} failed.`;
}

/** @param {readonly unknown[]} instances */
const countOf = ({ length }) => (length === 1 ? '1 instance' : `${length} instances`);

/**
 * Asks every chosen version about one instance, and fills its box.
 * @param {Instance} instance
 * @param {HTMLElement} box
 * @param {number} mine
 * @returns {Promise<boolean>} whether every version answered
 */
async function show(instance, box, mine) {
  const model = chosen();
  const questions = chosenVersions().map(question);
  const asked = await Promise.allSettled(questions.map((one) => predict(instance, one)));
  if (mine !== lastRun) return true;
  const sides = asked.map((outcome) => {
    if (outcome.status === 'rejected') return errorBox(outcome.reason);
    const { value } = outcome;
    remember({
      at: Date.now(),
      model: model?.name ?? '',
      version: value.version,
      title: instance.title,
      words: inWords(value.answer),
    });
    const isProven = model?.parity !== undefined && `${model.version}` === value.version;
    return sideOf(value, isProven ? [seal(model.parity ?? '', proofs)] : []);
  });
  box.querySelector('.hint')?.remove();
  box.setAttribute('aria-busy', 'false');
  const isGood = asked.every((outcome) => outcome.status === 'fulfilled');
  if (model?.takes === 'images') await showPictures(instance, box, isGood);
  box.append(make('div', { class: 'sides' }, ...sides));
  const refused = asked.find((outcome) => outcome.status === 'rejected')?.reason;
  if (refused instanceof Refusal && refused.status === 401) await renewKey('The gateway did not accept the key.');
  return isGood;
}

/**
 * Puts the original beside what the model saw. A photo by its address is only shown as the model saw it: the page loads
 * nothing from other hosts.
 * @param {Instance} instance
 * @param {HTMLElement} box
 * @param {boolean} isGood
 */
async function showPictures(instance, box, isGood) {
  const [version = ''] = chosenVersions();
  const original = instance.blob ? [await figure(instance.blob, 'Original')] : [];
  const seen = isGood ? await seenPixels(instance, question(version)).catch(() => undefined) : undefined;
  const pictures = [...original, ...(seen ? [await figure(seen, 'What the model saw')] : [])];
  if (pictures.length === 0) return;
  box.classList.add('has-pictures');
  box.append(make('div', { class: 'pictures' }, ...pictures));
}

/** Shows the chosen model: what it is, its input and its examples. */
async function showModel() {
  const model = chosen();
  if (!model) {
    byId('about', HTMLElement).textContent = 'The gateway has no models yet. Put one into its models folder.';
    return;
  }
  const takesPhotos = model.takes === 'images';
  byId('photos', HTMLElement).hidden = !takesPhotos;
  byId('record', HTMLElement).hidden = takesPhotos;
  byId('score-options', HTMLElement).hidden = !takesPhotos || model.scores === 'values';
  const none = { pictures: [], records: [], fields: [] };
  const examples = model.ready ? await loadExamples(model.name) : none;
  if (chosen() !== model) return;
  proofs = examples.pictures.length;
  byId('about', HTMLElement).replaceChildren(...describeModel(model, proofs));
  if (takesPhotos) await showExamples(model.name, examples.pictures, run);
  else showRecord(model.signature?.inputs ?? [], examples);
  showCode();
}

/** The code for the first instance that is shown, or for one of the kind that the model takes. */
function showCode() {
  const [version = ''] = chosenVersions();
  const isPhoto = chosen()?.takes === 'images';
  const usual = isPhoto
    ? { title: 'photo.jpg', blob: new Blob() }
    : { title: 'record', json: byId('editor', HTMLTextAreaElement).value.replace(/\s+/g, ' ') };
  const path = addressOf(question(version));
  const request = { origin: location.origin, path, hasKey: apiKey.get() !== '', instance: shown[0] ?? usual };
  byId('code', HTMLElement).textContent = snippet(language, request);
}

/** Keeps model, versions and the photo's address in the address of the page. */
function writeLink() {
  const [version = '', compare = ''] = chosenVersions();
  const url = shown[0]?.url ?? '';
  const named = Object.entries({ model: chosen()?.name ?? '', version, compare, url }).filter(
    ([, value]) => value !== '',
  );
  history.replaceState(null, '', `?${new URLSearchParams(named)}`);
}

/** Starts anew for another model: its predictions are not comparable. */
async function changeModel() {
  showVersions();
  shown = [];
  lastRun += 1;
  status.textContent = '';
  results.replaceChildren(make('p', { class: 'empty' }, 'Nothing yet for this model.'));
  writeLink();
  await showModel();
}

/** Asks again where the question has changed. */
async function askAgain() {
  writeLink();
  showCode();
  if (shown.length > 0) await run(shown);
}

/** @param {string} why */
async function renewKey(why) {
  if (await askForKey(why)) await start();
}

/** Loads the models, and restores what the address of the page says. */
async function start() {
  try {
    await loadModels();
  } catch (thrown) {
    byId('about', HTMLElement).replaceChildren(errorBox(thrown));
    const isLocked = thrown instanceof Refusal && thrown.status === 401;
    if (isLocked) await renewKey('This gateway needs an API key. It is kept until this tab is closed.');
    return;
  }
  const link = new URLSearchParams(location.search);
  choose({ model: link.get('model'), version: link.get('version'), compare: link.get('compare') });
  await showModel();
  const url = link.get('url');
  if (url && chosen()?.takes === 'images') {
    byId('url', HTMLInputElement).value = url;
    await run([{ title: url, url }]);
  }
}

/** @param {string} text */
async function copy(text) {
  const copied = byId('copied', HTMLElement);
  try {
    await navigator.clipboard.writeText(text);
    copied.textContent = 'Copied.';
  } catch {
    copied.textContent = 'The browser does not allow it. Select the text and copy it.';
  }
}

/** Runs an action, and shows what it throws. @param {() => Promise<void>} action */
const shownOnFailure = (action) => () => {
  action().catch((thrown) => results.replaceChildren(errorBox(thrown)));
};

/** @param {Instance[]} instances */
const startRun = (instances) => shownOnFailure(() => run(instances))();

function watch() {
  watchPhotos(startRun);
  watchRecord((json) => startRun([{ title: 'Record', json }]));
  watchHistory();
  byId('model', HTMLSelectElement).addEventListener('change', shownOnFailure(changeModel));
  for (const id of ['version', 'compare', 'scores', 'top']) {
    document.getElementById(id)?.addEventListener('change', shownOnFailure(askAgain));
  }
  byId('key-button', HTMLButtonElement).addEventListener(
    'click',
    shownOnFailure(() => renewKey('The key is sent with each request, and kept until this tab is closed.')),
  );
  const languages = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-language]'));
  for (const button of languages) {
    button.addEventListener('click', () => {
      language = /** @type {import('./snippets.js').Language} */ (button.dataset.language);
      for (const one of languages) one.setAttribute('aria-pressed', `${one === button}`);
      showCode();
    });
  }
  byId('copy-code', HTMLButtonElement).addEventListener('click', () =>
    copy(byId('code', HTMLElement).textContent ?? ''),
  );
  byId('copy-link', HTMLButtonElement).addEventListener('click', () => {
    writeLink();
    return copy(location.href);
  });
}

watch();
showHistory();
shownOnFailure(start)();
