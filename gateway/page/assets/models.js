/** The models of the gateway, and which one, in which version, is chosen. */
import { call } from './api.js';
import { byId, make } from './dom.js';

/**
 * @typedef {{ name: string, dtype: string, shape: number[] | null }} TensorInfo
 * @typedef {{ name: string, choices?: string[], minimum?: number, maximum?: number }} ExampleField
 * @typedef {{ pictures: string[], records: Record<string, unknown>[], fields: ExampleField[] }} Examples
 * @typedef {{ name: string, ready: boolean, problem?: string, version?: number, parity?: string, takes?: string,
 *   classes?: string[], scores?: string, signature?: { inputs: TensorInfo[], outputs: TensorInfo[] },
 *   versions: { version: number, state: string, problem?: string }[] }} Model
 */

const model = byId('model', HTMLSelectElement);
const version = byId('version', HTMLSelectElement);
const compare = byId('compare', HTMLSelectElement);

/** @type {Model[]} */
let models = [];

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
export function showVersions() {
  const loaded = chosen()?.versions.filter(({ state }) => state === 'AVAILABLE') ?? [];
  const numbers = loaded.map(({ version: number }) => `${number}`).reverse();
  const options = () => numbers.map((number) => new Option(number, number));
  version.replaceChildren(new Option('default', ''), ...options());
  compare.replaceChildren(new Option('nothing', ''), ...options());
  compare.disabled = numbers.length < 2;
}

/**
 * Examples of the model; none for a model that cannot answer.
 * @param {string} name
 * @returns {Promise<Examples>}
 */
export async function loadExamples(name) {
  return (await call(`/models/${encodeURIComponent(name)}/examples`)).json();
}

/**
 * What the model is, in words.
 * @param {Model} one
 * @param {number} proofs pictures that prove the version
 * @returns {(Node | string)[]}
 */
export function describeModel({ ready, problem = '', version: number, parity, takes, classes, signature }, proofs) {
  if (!ready) return [`Not ready: ${problem}`];
  const what = classes ? `${classes.length} classes` : `${signature?.inputs.length ?? 0} inputs`;
  const kind = takes === 'images' ? 'Takes photos' : 'Takes records or tensors';
  return [`${kind}, ${what}. Version ${number ?? 'unknown'}. `, ...(parity ? [seal(parity, proofs)] : [])];
}

/**
 * @param {string} parity
 * @param {number} proofs
 */
export function seal(parity, proofs) {
  const pictures = proofs === 1 ? '1 picture' : `${proofs} pictures`;
  const text = parity === 'proven' && proofs > 0 ? `proven by ${pictures}` : parity;
  return make('span', { class: `seal ${parity}` }, text);
}
