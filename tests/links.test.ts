/** Links between Markdown pages: files, folders and anchors. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { groupsIn, INDEX } from '../docs/site/navigation.ts';
import { ROOT, readPages, targetOf } from '../docs/site/pages.ts';

const pages = await readPages();

test('every link of every page leads to a file, and to a heading of it', (t) => {
  let count = 0;
  const broken: string[] = [];
  for (const { file, links } of pages.values()) {
    for (const link of links) {
      const target = targetOf(file, link);
      if (target === undefined) continue;
      count += 1;
      const page = pages.get(target.file);
      const isThere = page === undefined ? existsSync(path.join(ROOT, target.file)) : true;
      const hasAnchor = target.anchor === '' || page?.sections.some(({ anchor }) => anchor === target.anchor);
      if (!isThere || !hasAnchor) broken.push(`${file}: ${link}`);
    }
  }
  t.diagnostic(`${count} links of ${pages.size} pages`);
  assert.deepEqual(broken, []);
  assert.ok(pages.size > 60 && count > 400, `${count} links of ${pages.size} pages`);
});

test('links to other places are https, mailto or an address of this machine', () => {
  const others = [...pages.values()].flatMap(({ file, links }) =>
    links.filter((link) => targetOf(file, link) === undefined).map((link) => `${file}: ${link}`),
  );
  assert.deepEqual(
    others.filter((line) => !/: (https:\/\/[^/]+\.|mailto:|http:\/\/(localhost|127\.0\.0\.1):\d+)/.test(line)),
    [],
  );
});

test(`${INDEX} lists every page of docs once, under its kind`, () => {
  const groups = groupsIn(pages.get(INDEX)?.text ?? '');
  assert.deepEqual(groups.map(({ title }) => title).slice(0, 4), [
    'Tutorials',
    'How-to guides',
    'Reference',
    'Explanation',
  ]);
  const listed = groups.flatMap(({ entries }) => entries.map(({ file }) => file));
  assert.deepEqual(
    listed.filter((file, at) => listed.indexOf(file) !== at),
    [],
  );
  const ofDocs = [...pages.keys()].filter((file) => /^docs\/(?!runbooks\/)/.test(file) && file !== INDEX);
  assert.deepEqual(
    ofDocs.filter((file) => !listed.includes(file)),
    [],
  );
});

test('each page has one title', () => {
  for (const { file, sections } of pages.values()) {
    if (file.startsWith('.github/')) continue;
    assert.deepEqual([sections[0]?.level, sections.filter(({ level }) => level === 1).length], [1, 1], file);
  }
});
