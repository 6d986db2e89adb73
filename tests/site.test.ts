/** The website of the documentation (`make site`). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import MiniSearch from 'minisearch';
import type { Browser } from 'playwright-core';
import { buildSite } from '../docs/site/build.ts';
import { readPages, siteFile } from '../docs/site/pages.ts';
import { SEARCH_OPTIONS } from '../docs/site/search-index.ts';
import { axe, openSound, SKIP, startBrowser, texts } from './page/browser.ts';

let folder = '';
let browser: Browser;
const html = new Map<string, string>();

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-site-'));
  await buildSite(folder);
  if (SKIP === false) browser = await startBrowser();
  for await (const file of glob('**/*.html', { cwd: folder })) {
    html.set(file, await readFile(path.join(folder, file), 'utf8'));
  }
});

// Only here: a page that is closed after its browser may wait for ever.
after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

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

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Serves the website below a path. Resolves to its address. */
async function serve(t: TestContext): Promise<string> {
  const server = createServer(async ({ url = '' }, response) => {
    const file = path.join(folder, decodeURIComponent(new URL(url, 'http://x').pathname.replace('/below/', '')));
    response.setHeader('Content-Type', TYPES[path.extname(file)] ?? 'application/octet-stream');
    response.end(existsSync(file) ? await readFile(file) : undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/below`;
}

test('diagrams are drawn, and again when light or dark changes', { skip: SKIP }, async (t) => {
  const url = await serve(t);
  for (const name of ['index', 'docs/architecture', 'docs/performance']) {
    const page = await openSound(t, browser, `${url}/${name}.html`, { colorScheme: 'light' });
    const drawn = page.locator('pre.mermaid svg').first();
    await drawn.waitFor();
    const light = await drawn.innerHTML();
    assert.deepEqual(await axe(page), []);
    await page.click('#theme');
    await page.waitForFunction(`document.querySelector('pre.mermaid svg')?.innerHTML !== ${JSON.stringify(light)}`);
    await drawn.waitFor();
    assert.equal(await drawn.evaluate('document.querySelectorAll(".error-icon").length'), 0);
  }
});

test('a browser searches, opens what it found, and remembers light or dark', { skip: SKIP }, async (t) => {
  const url = await serve(t);
  const page = await openSound(t, browser, `${url}/docs/settings.html`, { colorScheme: 'light' });
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('/');
  await page.keyboard.type('hedge');
  await page.locator('#found li').first().waitFor();
  assert.ok((await texts(page, '#found li')).includes('Failed callsModel servers'));
  await page.click('#found a:has-text("Failed calls")');
  await page.waitForURL(`${url}/docs/backends.html#failed-calls`);
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await background();
  await page.click('#theme');
  const dark = await background();
  assert.notEqual(dark, light);
  await page.goto(`${url}/docs/how-to/capacity.html`);
  assert.equal(await background(), dark);
  assert.deepEqual(await axe(page), []);
});
