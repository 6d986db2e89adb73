/** The last predictions, in this browser only. Pictures are not kept. */
import { byId, make } from './dom.js';

const KEY = 'tensorgate.history';
const MAX_ENTRIES = 20;
/** Characters of a record that is kept: the browser's storage is small. */
const MAX_KEPT = 20_000;

/**
 * `url` and `json`: what was asked, for asking it again.
 * @typedef {{ at: number, model: string, version: string, title: string, words: string, url?: string, json?: string }} Entry
 */

/** @type {(entry: Entry) => void} */
let askAgain = () => undefined;

/** @returns {Entry[]} */
function read() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(entries) ? entries : [];
  } catch {
    return []; // Another page of this origin wrote something else.
  }
}

/** @param {Entry} entry */
export function remember({ json, ...entry }) {
  const kept = { ...entry, ...(json !== undefined && json.length <= MAX_KEPT && { json }) };
  localStorage.setItem(KEY, JSON.stringify([kept, ...read()].slice(0, MAX_ENTRIES)));
  showHistory();
}

function showHistory() {
  const entries = read();
  const none = make('li', { class: 'hint' }, 'None yet.');
  byId('history', HTMLElement).replaceChildren(...(entries.length > 0 ? entries.map(itemOf) : [none]));
  byId('forget', HTMLButtonElement).hidden = entries.length === 0;
}

/** @param {Entry} entry */
function itemOf(entry) {
  const { at, model, version, title, words, url, json } = entry;
  const when = new Date(at);
  const time = make('time', { datetime: when.toISOString() }, when.toLocaleTimeString());
  const about = make('div', {}, make('strong', {}, words), `${title}, ${model} ${version}`);
  if (url === undefined && json === undefined) return make('li', {}, about, time);
  const again = make('button', { type: 'button', class: 'plain', 'aria-label': `Again: ${title}, ${model}` }, 'Again');
  again.addEventListener('click', () => askAgain(entry));
  return make('li', {}, about, make('div', { class: 'again' }, time, again));
}

/** Shows what is kept. @param {(entry: Entry) => void} onAgain asks an entry again */
export function watchHistory(onAgain) {
  askAgain = onAgain;
  byId('forget', HTMLButtonElement).addEventListener('click', () => {
    localStorage.removeItem(KEY);
    showHistory();
  });
  showHistory();
}
