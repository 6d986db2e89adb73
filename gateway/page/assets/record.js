/** The input of a model that takes records or tensors: a form for scalars, JSON for all else. */
import { byId } from './dom.js';
import { templateOf } from './instance-template.js';
import { controlsOf, fieldOf, fillForm, isTable, readForm } from './record-fields.js';

/**
 * @typedef {import('./models.js').TensorInfo} TensorInfo
 * @typedef {import('./models.js').Examples} Examples
 */

const asForm = byId('as-form', HTMLButtonElement);
const asJson = byId('as-json', HTMLButtonElement);
const fields = byId('fields', HTMLElement);
const editor = byId('editor', HTMLTextAreaElement);
const next = byId('next-example', HTMLButtonElement);

/** @type {{ inputs: TensorInfo[], examples: Examples, turn: number }} */
let shown = { inputs: [], examples: { pictures: [], records: [], fields: [] }, turn: 0 };

/** The instance as JSON text, as it is sent. */
export const recordText = () => (fields.hidden ? editor.value : JSON.stringify(readForm(fields, shown.inputs)));

/** Calls `onRecord` with the instance as JSON text. @param {(json: string) => void} onRecord */
export function watchRecord(onRecord) {
  asForm.addEventListener('click', () => {
    const record = objectIn(editor.value);
    if (fields.hidden && record) fillForm(fields, shown.inputs, record);
    show('form');
  });
  asJson.addEventListener('click', () => {
    if (!fields.hidden) editor.value = pretty(readForm(fields, shown.inputs));
    show('json');
  });
  next.addEventListener('click', () => {
    shown.turn += 1;
    fillWithExample();
  });
  byId('record', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    for (const control of controlsOf(fields)) control.removeAttribute('aria-invalid');
    onRecord(recordText());
  });
}

/**
 * Shows the form of a signature, filled with an example. One number or text for each input makes a form.
 * @param {TensorInfo[]} inputs
 * @param {Examples} examples
 */
export function showRecord(inputs, examples) {
  shown = { inputs, examples, turn: 0 };
  const hasForm = isTable(inputs);
  const known = new Map(examples.fields.map((field) => [field.name, field]));
  asForm.disabled = !hasForm;
  fields.replaceChildren(...(hasForm ? inputs.map((info) => fieldOf(info, known.get(info.name))) : []));
  next.hidden = examples.records.length < 2;
  fillWithExample();
  show(hasForm ? 'form' : 'json');
}

/** Fills the form and the editor with a record. @param {string} json */
export function fillRecord(json) {
  const record = objectIn(json);
  editor.value = record ? pretty(record) : json;
  if (record) fillForm(fields, shown.inputs, record);
}

/** Fills the form and the editor with an example, or with a template. */
function fillWithExample() {
  const { inputs, examples, turn } = shown;
  fillRecord(JSON.stringify(examples.records[turn % Math.max(1, examples.records.length)] ?? templateOf(inputs)));
}

/** Marks the field that a refusal names first. @param {string} refusal */
export function markMistake(refusal) {
  const [name] = refusal.split(':');
  for (const control of controlsOf(fields)) {
    if (control.name === name) control.setAttribute('aria-invalid', 'true');
  }
}

/** @param {'form' | 'json'} form */
function show(form) {
  fields.hidden = form === 'json';
  byId('editor-label', HTMLElement).hidden = form === 'form';
  asForm.setAttribute('aria-pressed', `${form === 'form'}`);
  asJson.setAttribute('aria-pressed', `${form === 'json'}`);
}

/** @param {object} record */
const pretty = (record) => JSON.stringify(record, undefined, 2);

/** The object in a JSON text; undefined for all else. @param {string} json @returns {Record<string, unknown> | undefined} */
function objectIn(json) {
  try {
    const value = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // A person is still writing it.
  }
}
