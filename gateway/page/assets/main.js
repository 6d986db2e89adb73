/** The playground: joins the choice of a model, its input, the predictions, and what can be copied from them. */
import { Refusal } from './api.js';
import { showCode, watchCode } from './code.js';
import { byId } from './dom.js';
import { errorBox } from './error-box.js';
import { watchHistory } from './history.js';
import { askForKey } from './key-dialog.js';
import { showLineage } from './lineage.js';
import { readLink, writeLink } from './link.js';
import { choose, chosen, chosenVersions, loadExamples, loadModels, showAbout, watchModels } from './models.js';
import { showExamples, watchPhotos } from './photos.js';
import { chooseScores, chosenScores, showScoreOptions, USUAL, watchQuestion } from './question.js';
import { fillRecord, showRecord, watchRecord } from './record.js';
import { clearResults, run } from './run.js';

/** @typedef {import('./predict.js').Instance} Instance */

/** A model that is not ready is looked for again after this time. */
const LOOK_AGAIN_MS = 2000;

/** The instances that are shown. @type {Instance[]} */
let shown = [];
/** Whoever is faster than the list of models waits for it. */
let loaded = Promise.resolve();

/** Predicts the instances, with code and link for the first. @param {Instance[]} instances */
async function ask(instances) {
  await loaded;
  shown = instances;
  showCode(shown[0]);
  keepLink();
  const locked = await run(instances);
  if (locked) await renewKey('The gateway did not accept the key.');
}

/** Keeps what is asked in the address of the page. */
function keepLink() {
  const [version = '', compare = ''] = chosenVersions();
  const { scores, top } = chosenScores();
  writeLink({
    model: chosen()?.name ?? '',
    version,
    compare,
    url: shown[0]?.url ?? '',
    scores: scores === USUAL.scores ? '' : scores,
    top: top === USUAL.top ? '' : top,
  });
}

/** Shows the chosen model: what it is, its input and its examples. */
async function showModel() {
  const model = chosen();
  const takesPhotos = model?.takes === 'images';
  byId('input', HTMLElement).hidden = model?.ready !== true;
  byId('photos', HTMLElement).hidden = !takesPhotos;
  byId('record', HTMLElement).hidden = takesPhotos;
  showScoreOptions();
  if (!model) {
    byId('about', HTMLElement).textContent = 'The gateway has no models yet. Put one into its models folder.';
    return;
  }
  const examples = await loadExamples(model);
  if (chosen() !== model) return;
  showAbout();
  showLineage();
  if (!model.ready) return lookAgain(model);
  if (takesPhotos) await showExamples(model.name, examples.pictures, startAsking);
  else showRecord(model.signature?.inputs ?? [], examples);
  if (shown.length === 0) {
    const how = takesPhotos ? 'Take an example, or give a photo of your own.' : 'Take the example, or change it.';
    clearResults('No prediction yet', how);
  }
  showCode(shown[0]);
}

/** Looks for the models again after a moment: one that is being checked is ready soon. @param {object} model */
function lookAgain(model) {
  clearResults('This model is not ready', 'The page looks for it again every two seconds.');
  setTimeout(() => {
    if (chosen() === model) shownOnFailure(start)();
  }, LOOK_AGAIN_MS);
}

/** Starts anew for another model: its predictions are not comparable. */
async function changeModel() {
  shown = [];
  clearResults('No prediction yet', 'Loading the model…');
  keepLink();
  await showModel();
}

/** Asks again where the question has changed. */
async function changeQuestion() {
  keepLink();
  showLineage();
  showCode(shown[0]);
  if (shown.length > 0) await ask(shown);
}

/** Asks an entry of the history again. @param {import('./history.js').Entry} entry */
async function askEntry({ model, version, title, url, json }) {
  await loaded;
  choose({ model, version });
  shown = [];
  await showModel();
  if (json !== undefined) fillRecord(json);
  await ask([{ title, ...(url !== undefined && { url }), ...(json !== undefined && { json }) }]);
}

/** @param {string} why */
async function renewKey(why) {
  if (await askForKey(why)) await start();
}

/** Loads the models, and restores what the address of the page says. */
async function start() {
  try {
    loaded = loadModels();
    await loaded;
  } catch (thrown) {
    byId('about', HTMLElement).replaceChildren(errorBox(thrown));
    const isLocked = thrown instanceof Refusal && thrown.status === 401;
    if (isLocked) await renewKey('This gateway needs an API key. It is kept until this tab is closed.');
    return;
  }
  const link = readLink();
  choose(link);
  chooseScores(link);
  await showModel();
  if (link.url && chosen()?.takes === 'images') {
    byId('url', HTMLInputElement).value = link.url;
    await ask([{ title: link.url, url: link.url }]);
  }
}

/**
 * Runs an action, and shows what it throws.
 * @template {unknown[]} T
 * @param {(...given: T) => Promise<void>} action
 * @returns {(...given: T) => void}
 */
const shownOnFailure =
  (action) =>
  (...given) => {
    action(...given).catch((thrown) => byId('results', HTMLElement).replaceChildren(errorBox(thrown)));
  };

const startAsking = shownOnFailure(ask);

watchPhotos(startAsking);
watchRecord((json) => startAsking([{ title: 'Record', json }]));
watchHistory(shownOnFailure(askEntry));
watchModels(shownOnFailure(changeModel), shownOnFailure(changeQuestion));
watchQuestion(shownOnFailure(changeQuestion));
watchCode();
byId('key-button', HTMLButtonElement).addEventListener(
  'click',
  shownOnFailure(() => renewKey('It is sent with each request, and kept until this tab is closed.')),
);
shownOnFailure(start)();
