/** The last predictions, in this browser only. Pictures are not kept. */
import { byId, make } from './dom.js';

const KEY = 'tensorgate.history';
const MAX_ENTRIES = 20;

/** @typedef {{ at: number, model: string, version: string, title: string, words: string }} Entry */

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
export function remember(entry) {
  localStorage.setItem(KEY, JSON.stringify([entry, ...read()].slice(0, MAX_ENTRIES)));
  showHistory();
}

export function showHistory() {
  const entries = read();
  const items = entries.map(({ at, model, version, title, words }) => {
    const when = new Date(at);
    const time = make('time', { datetime: when.toISOString() }, when.toLocaleTimeString());
    return make('li', {}, make('span', {}, make('strong', {}, words), ` ${title}, ${model} ${version}`), time);
  });
  byId('history', HTMLElement).replaceChildren(
    ...(items.length > 0 ? items : [make('li', { class: 'hint' }, 'None yet.')]),
  );
  byId('forget', HTMLButtonElement).hidden = items.length === 0;
}

export function watchHistory() {
  byId('forget', HTMLButtonElement).addEventListener('click', () => {
    localStorage.removeItem(KEY);
    showHistory();
  });
}
