/** A field for each input of a table, with what the model knows of its values. */
import { make } from './dom.js';
import { shortFloat } from './format.js';
import { isText } from './instance-template.js';

/**
 * @typedef {import('./models.js').TensorInfo} TensorInfo
 * @typedef {import('./models.js').ExampleField} ExampleField
 */

/** One value for each row: no axis, or axes of one after the first. @param {TensorInfo} info */
const isScalar = ({ shape }) => shape?.slice(1).every((size) => size === 1) ?? false;

/** Whether the inputs make a form: one number or text for each. @param {TensorInfo[]} inputs */
export const isTable = (inputs) => inputs.length > 0 && inputs.every(isScalar);

/** @param {TensorInfo} info @param {ExampleField | undefined} known */
export function fieldOf(info, known) {
  const about = [known?.about, typeOf(info), known && rangeOf(known)].filter((part) => part).join(' · ');
  return make('label', {}, info.name, inputOf(info, known), make('small', {}, about));
}

/** @param {TensorInfo} info */
const typeOf = ({ dtype }) => (dtype === 'DT_STRING' ? 'text' : dtype.replace('DT_', '').toLowerCase());

/** Which values there are, in words. Choices are in their list. @param {ExampleField} known */
function rangeOf({ minimum, maximum, from }) {
  const [least, most] = [minimum, maximum].map((one) => (one === undefined ? undefined : shortFloat(one)));
  const where = from === 'examples' ? ' in the examples' : '';
  if (least !== undefined && most !== undefined) return `${least} to ${most}${where}`;
  return least !== undefined ? `from ${least}` : most !== undefined ? `to ${most}` : '';
}

/** A list where model.yaml names all choices, suggestions where examples have some. @param {TensorInfo} info @param {ExampleField | undefined} known */
function inputOf({ name, dtype }, known) {
  const choices = dtype === 'DT_BOOL' ? ['true', 'false'] : (known?.choices ?? []).map(String);
  const options = choices.map((choice) => new Option(choice, choice));
  if (choices.length > 0 && (dtype === 'DT_BOOL' || known?.from === 'model.yaml')) {
    return make('select', { name }, ...options);
  }
  const input = make('input', { name, autocomplete: 'off' });
  if (dtype !== 'DT_STRING') input.inputMode = 'decimal';
  if (choices.length === 0) return input;
  const list = make('datalist', { id: `choices-${name}` }, ...options);
  input.setAttribute('list', list.id);
  return make('span', {}, input, list);
}

/** @param {HTMLElement} form */
export const controlsOf = (form) =>
  /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (form.querySelectorAll('[name]'));

/**
 * Fills the form with a record. A value that a list lacks is added to it.
 * @param {HTMLElement} form
 * @param {TensorInfo[]} inputs
 * @param {Record<string, unknown>} record
 */
export function fillForm(form, inputs, record) {
  for (const control of controlsOf(form)) {
    const value = record[control.name];
    if (value === undefined) continue;
    const isFloat = inputs.some(({ name, dtype }) => name === control.name && dtype === 'DT_FLOAT');
    const text = `${isFloat && typeof value === 'number' ? shortFloat(value) : value}`;
    const lacks = control instanceof HTMLSelectElement && ![...control.options].some((one) => one.value === text);
    if (lacks) control.append(new Option(text, text));
    control.value = text;
  }
}

/**
 * The form as an instance. What is not a number stays text, so that the gateway says what is wrong with it.
 * @param {HTMLElement} form
 * @param {TensorInfo[]} inputs
 */
export function readForm(form, inputs) {
  return Object.fromEntries(
    [...controlsOf(form)].map(({ name, value }) => {
      const info = inputs.find((one) => one.name === name);
      if (!info || isText(info)) return [name, value];
      if (info.dtype === 'DT_BOOL') return [name, value === 'true'];
      return [name, value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value)];
    }),
  );
}
