/** The models of the gateway, and which one, in which version, is chosen. */
import { call } from './api.js';
import { byId, make } from './dom.js';

/**
 * @typedef {{ name: string, dtype: string, shape: number[] | null }} TensorInfo
 * @typedef {{ name: string, from: 'model.yaml' | 'examples', about?: string, choices?: (string | number)[],
 *   minimum?: number, maximum?: number }} ExampleField
 * @typedef {{ pictures: string[], records: Record<string, unknown>[], fields: ExampleField[] }} Examples
 * @typedef {{ name: string, ready: boolean, problem?: string, version?: number, parity?: string, takes?: string,
 *   classes?: string[], scores?: string, signature?: { inputs: TensorInfo[], outputs: TensorInfo[] },
 *   versions: { version: number, state: string, problem?: string }[] }} Model
 */

const model = byId('model', HTMLSelectElement);
const version = byId('version', HTMLSelectElement);
const compare = byId('compare', HTMLSelectElement);

/** @type {Examples} */
const NO_EXAMPLES = { pictures: [], records: [], fields: [] };

/** @type {Model[]} */
let models = [];

/** Of the chosen model. @type {Examples} */
let examples = NO_EXAMPLES;

/** Reads the models, and fills the list of names. */
export async function loadModels() {
  ({ models } = await (await call('/models')).json());
  model.replaceChildren(...models.map(({ name, ready }) => new Option(ready ? name : `${name} (not ready)`, name)));
  const first = models.find(({ ready, takes }) => ready && takes === 'images') ?? models.find(({ ready }) => ready);
  if (first) model.value = first.name;
}

/** The chosen model. */
export const chosen = () => models.find(({ name }) => name === model.value);

/** The chosen version, and the one to compare with: empty for none. */
export const chosenVersions = () => [version.value, ...(compare.value === '' ? [] : [compare.value])];

/**
 * Chooses a model and a version by name, if there are such.
 * @param {{ model?: string | null, version?: string | null, compare?: string | null }} wanted
 */
export function choose({ model: name, version: number, compare: other }) {
  if (name && models.some((one) => one.name === name)) model.value = name;
  showVersions();
  if (number && [...version.options].some(({ value }) => value === number)) version.value = number;
  if (other && [...compare.options].some(({ value }) => value === other)) compare.value = other;
}

/** Fills the lists of versions for the chosen model. */
function showVersions() {
  const loaded = chosen()?.versions.filter(({ state }) => state === 'AVAILABLE') ?? [];
  const numbers = loaded.map(({ version: number }) => `${number}`).reverse();
  const options = () => numbers.map((number) => new Option(number, number));
  version.replaceChildren(new Option('Default', ''), ...options());
  compare.replaceChildren(new Option(numbers.length < 2 ? 'One version only' : 'Nothing', ''), ...options());
  compare.disabled = numbers.length < 2;
}

/** @param {() => void} onModel @param {() => void} onVersion */
export function watchModels(onModel, onVersion) {
  model.addEventListener('change', () => {
    showVersions();
    onModel();
  });
  for (const list of [version, compare]) list.addEventListener('change', onVersion);
}

/**
 * Examples of the chosen model; none for a model that cannot answer.
 * @param {Model} one
 */
export async function loadExamples({ name, ready }) {
  examples = NO_EXAMPLES;
  const loaded = ready ? await (await call(`/models/${encodeURIComponent(name)}/examples`)).json() : NO_EXAMPLES;
  if (chosen()?.name === name) examples = loaded;
  return /** @type {Examples} */ (loaded);
}

/** Says in words what the chosen model is. */
export function showAbout() {
  const one = chosen();
  if (!one) return;
  byId('about', HTMLElement).replaceChildren(...describe(one));
}

/** @param {Model} one @returns {(Node | string)[]} */
function describe({ ready, problem = '', version: number, takes, classes, signature }) {
  if (!ready) return [`Not ready: ${problem}`];
  const inputs = signature?.inputs.length ?? 0;
  const what = classes ? `${classes.length} classes` : inputs === 1 ? '1 input' : `${inputs} inputs`;
  const kind = takes === 'images' ? 'Takes photos' : 'Takes records';
  return [`${kind} · ${what} · version ${number ?? 'unknown'} `, ...sealsOf(`${number}`)];
}

/** How each parity is called. */
const SEALS = /** @type {Record<string, string>} */ ({ unproven: 'not proven', differing: 'differs from training' });

/**
 * The seal of the version that was compared with training. Parity compares pictures: a model for records has none.
 * @param {string} answered the version that answered
 */
export function sealsOf(answered) {
  const one = chosen();
  if (one?.takes !== 'images' || one.parity === undefined || `${one.version}` !== answered) return [];
  const count = examples.pictures.length;
  const proven = count === 0 ? 'proven' : `proven by ${count === 1 ? '1 picture' : `${count} pictures`}`;
  return [make('span', { class: `seal ${one.parity}` }, SEALS[one.parity] ?? proven)];
}
