/** The input of a model that takes records or tensors: a form for scalars, JSON for all else. */
import { byId, make } from './dom.js';
import { isText, templateOf } from './instance-template.js';

/**
 * @typedef {import('./models.js').TensorInfo} TensorInfo
 * @typedef {import('./models.js').ExampleField} ExampleField
 * @typedef {import('./models.js').Examples} Examples
 */

const asForm = byId('as-form', HTMLButtonElement);
const asJson = byId('as-json', HTMLButtonElement);
const fields = byId('fields', HTMLElement);
const editor = byId('editor', HTMLTextAreaElement);
const next = byId('next-example', HTMLButtonElement);

/** @type {{ inputs: TensorInfo[], examples: Examples, turn: number }} */
let shown = { inputs: [], examples: { pictures: [], records: [], fields: [] }, turn: 0 };

/** Calls `onRecord` with the instance as JSON text. @param {(json: string) => void} onRecord */
export function watchRecord(onRecord) {
  asForm.addEventListener('click', () => show('form'));
  asJson.addEventListener('click', () => {
    if (!fields.hidden) editor.value = JSON.stringify(instanceOfForm(), undefined, 2);
    show('json');
  });
  next.addEventListener('click', () => {
    shown.turn += 1;
    fill();
  });
  byId('record', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    onRecord(fields.hidden ? editor.value : JSON.stringify(instanceOfForm()));
  });
}

/**
 * Shows the form of a signature, filled with an example. One number or text for each input makes a form.
 * @param {TensorInfo[]} inputs
 * @param {Examples} examples
 */
export function showRecord(inputs, examples) {
  shown = { inputs, examples, turn: 0 };
  const isTable = inputs.length > 0 && inputs.every(isScalar);
  asForm.disabled = !isTable;
  fields.replaceChildren(...(isTable ? inputs.map(fieldOf) : []));
  next.hidden = examples.records.length < 2;
  fill();
  show(isTable ? 'form' : 'json');
}

/** @param {'form' | 'json'} form */
function show(form) {
  fields.hidden = form === 'json';
  byId('editor-label', HTMLElement).hidden = form === 'form';
  asForm.setAttribute('aria-pressed', `${form === 'form'}`);
  asJson.setAttribute('aria-pressed', `${form === 'json'}`);
}

/** One value for each row: no axis, or axes of one after the first. @param {TensorInfo} info */
function isScalar({ shape }) {
  return shape?.slice(1).every((size) => size === 1) ?? false;
}

/** @param {TensorInfo} info */
function fieldOf(info) {
  const { name, dtype } = info;
  const known = shown.examples.fields.find((field) => field.name === name);
  const input = inputOf(info, known);
  return make('label', {}, name, input, make('small', {}, `${typeOf(dtype)}${seenIn(known)}`));
}

/** A float32 in the digits that it has. @param {number} value */
const short = (value) => Number(value.toPrecision(7));

/**
 * What the examples have in a field, in words.
 * @param {ExampleField | undefined} known
 */
function seenIn(known) {
  if (known?.minimum !== undefined && known.maximum !== undefined) {
    return `, ${short(known.minimum)} to ${short(known.maximum)} in the examples`;
  }
  return known?.choices ? `, such as ${known.choices.slice(0, 3).join(', ')}` : '';
}

/**
 * @param {TensorInfo} info
 * @param {ExampleField | undefined} known
 */
function inputOf({ name, dtype }, known) {
  if (dtype === 'DT_BOOL') {
    const select = make('select', { name });
    select.append(new Option('true'), new Option('false'));
    return select;
  }
  const isNumber = dtype !== 'DT_STRING';
  const input = make('input', { name, autocomplete: 'off', ...(isNumber && { inputmode: 'decimal' }) });
  if (!known?.choices) return input;
  const list = make(
    'datalist',
    { id: `choices-${name}` },
    ...known.choices.map((choice) => new Option(choice, choice)),
  );
  input.setAttribute('list', list.id);
  return make('span', {}, input, list);
}

/** @param {string} dtype */
const typeOf = (dtype) => (dtype === 'DT_STRING' ? 'text' : dtype.replace('DT_', '').toLowerCase());

/** Fills the form and the editor with an example, or with a template. */
function fill() {
  const { inputs, examples, turn } = shown;
  const record = examples.records[turn % Math.max(1, examples.records.length)] ?? templateOf(inputs);
  editor.value = JSON.stringify(record, undefined, 2);
  for (const input of controls()) {
    const value = record[input.name];
    const isFloat = inputs.some(({ name, dtype }) => name === input.name && dtype === 'DT_FLOAT');
    if (value !== undefined) input.value = `${isFloat && typeof value === 'number' ? short(value) : value}`;
  }
}

const controls = () => /** @type {NodeListOf<HTMLInputElement>} */ (fields.querySelectorAll('[name]'));

/** The form as an instance. What is not a number stays text, so that the gateway says what is wrong with it. */
function instanceOfForm() {
  return Object.fromEntries(
    [...controls()].map((input) => {
      const info = shown.inputs.find(({ name }) => name === input.name);
      if (!info || isText(info)) return [input.name, input.value];
      if (info.dtype === 'DT_BOOL') return [input.name, input.value === 'true'];
      const number = Number(input.value);
      return [input.name, input.value.trim() === '' || Number.isNaN(number) ? input.value : number];
    }),
  );
}
