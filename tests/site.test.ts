/** The website of the documentation (`make site`). */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import MiniSearch from 'minisearch';
import { buildSite } from '../docs/site/build.ts';
import { readPages, siteFile } from '../docs/site/pages.ts';
import { SEARCH_OPTIONS } from '../docs/site/search-index.ts';

let folder = '';
const html = new Map<string, string>();

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-site-'));
  await buildSite(folder);
  for await (const file of glob('**/*.html', { cwd: folder })) {
    html.set(file, await readFile(path.join(folder, file), 'utf8'));
  }
});

after(() => rm(folder, { recursive: true, force: true }));

test('each page is in the website, with the list of pages and its own text', async () => {
  const pages = await readPages();
  assert.deepEqual([...html.keys()].sort(), [...pages.keys()].map(siteFile).sort());
  for (const [file, text] of html) {
    assert.match(text, /<h2>How-to guides<\/h2>/, file);
    assert.match(text, /<main id="text">\s*<h1 id="/, file);
  }
});

test('its links lead to files and headings that are there, below any path', () => {
  let count = 0;
  for (const [file, text] of html) {
    for (const [, link = ''] of text.matchAll(/ (?:href|src|srcset)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const { pathname, hash } = new URL(link, `file:///${file}`);
      const target = decodeURIComponent(pathname).slice(1);
      assert.ok(!link.startsWith('/'), `${file}: ${link} is not relative`);
      assert.ok(existsSync(path.join(folder, target)), `${file}: ${link}`);
      const id = decodeURIComponent(hash.slice(1));
      if (id !== '') assert.ok(html.get(target)?.includes(` id="${id}"`), `${file}: ${link}`);
      count += 1;
    }
  }
  assert.ok(count > 3000);
});

test('it works without other hosts', () => {
  for (const [file, text] of html) assert.doesNotMatch(text, /<(?:script|link|img)[^>]+(?:src|href)="https?:/, file);
});

test('the search finds sections by word, beginning of a word and with a mistake', async () => {
  const index = MiniSearch.loadJSON(await readFile(path.join(folder, 'assets/search.json'), 'utf8'), SEARCH_OPTIONS);
  const found = (words: string) => index.search(words, { prefix: true, fuzzy: 0.15 }).map(({ id }) => String(id));
  assert.ok(found('hedge').some((id) => id.startsWith('docs/backends.html#')));
  assert.ok(found('letterb').includes('docs/model-yaml-fields.html#fields-of-modelyaml'));
  assert.ok(found('protetocol').some((id) => id.startsWith('docs/protocols.html#')));
  assert.deepEqual(found('xyzzyplugh'), []);
});
