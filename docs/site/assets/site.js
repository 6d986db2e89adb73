/** The search and the button for light and dark. Without it the website is only without both. */
import MiniSearch from './minisearch.js';

const MOST = 12;
const OPTIONS = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] };
const SEARCH = { prefix: true, fuzzy: 0.15, boost: { title: 4, page: 2 }, combineWith: 'AND' };

const form = document.querySelector('form[role=search]');
const input = form.elements.q;
const found = document.querySelector('#found');
/** The index, from the first use of the search on. */
let index;

async function loadIndex() {
  const response = await fetch(new URL('search.json', import.meta.url));
  return MiniSearch.loadJSON(await response.text(), OPTIONS);
}

function entryOf({ id, title, page }) {
  const link = document.createElement('a');
  link.href = `${form.dataset.root}/${id}`;
  const place = document.createElement('span');
  place.textContent = page;
  link.append(title, place);
  const entry = document.createElement('li');
  entry.append(link);
  return entry;
}

async function showFound() {
  index ??= loadIndex();
  const words = input.value;
  const results = (await index).search(words, SEARCH).slice(0, MOST);
  if (words !== input.value) return;
  found.replaceChildren(...results.map(entryOf));
  if (results.length === 0) found.textContent = 'Nothing found';
  found.hidden = words.trim() === '';
}

input.addEventListener('input', showFound);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  found.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') found.hidden = true;
  if (event.key !== '/' || event.target.matches('input, textarea')) return;
  event.preventDefault();
  input.focus();
});

const root = document.documentElement;
const theme = localStorage.getItem('theme');
if (theme !== null) root.dataset.theme = theme;
document.querySelector('#theme').addEventListener('click', () => {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const now = root.dataset.theme ?? (dark ? 'dark' : 'light');
  root.dataset.theme = now === 'dark' ? 'light' : 'dark';
  localStorage.setItem('theme', root.dataset.theme);
});

// On a narrow screen the list of pages would hide the text.
if (matchMedia('(max-width: 52rem)').matches) document.querySelector('.sidebar').open = false;
