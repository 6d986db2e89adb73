import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { settingsWithoutRow } from '../docs/limits.ts';
import { writtenDocs } from '../docs/write.ts';

test('the tables of settings, errors, limits and metrics match the code (`make docs` writes them)', async () => {
  for (const [file, text] of await writtenDocs()) assert.equal(await readFile(file, 'utf8'), text, file.pathname);
});

test('every limit that can be set has a row in docs/limits.ts', () => {
  assert.deepEqual(settingsWithoutRow(), []);
});

/** A path in backticks that begins with a folder of the repository and has no placeholder. */
const PATH = /`((?:gateway|tests|docs|serving|bench|protos|kubernetes|dev|\.github)\/[\w./-]*)`/g;

for (const page of ['SECURITY.md', 'CONTRIBUTING.md', 'docs/architecture.md']) {
  test(`the files and folders that ${page} names exist`, async () => {
    const root = new URL('../', import.meta.url);
    const paths = [...(await readFile(new URL(page, root), 'utf8')).matchAll(PATH)].map(([, file = '']) => file);
    assert.ok(paths.length > 5);
    const missing = paths.filter((file) => !existsSync(new URL(file, root)));
    assert.deepEqual(missing, []);
  });
}

test("no page runs a package with npx that this repository does not have: it would be anybody's of that name", async () => {
  const root = new URL('../', import.meta.url);
  let pages = 0;
  for await (const page of glob(['*.md', 'docs/**/*.md', 'serving/**/*.md', '.github/**/*.{md,yml}', 'lefthook.yml'], {
    cwd: root,
  })) {
    const text = await readFile(new URL(page, root), 'utf8');
    for (const [, name = ''] of text.matchAll(/\bnpx (?:-\S+ )*([\w@./-]+)/g)) {
      assert.ok(
        name.startsWith('./') || existsSync(new URL(`node_modules/.bin/${name}`, root)),
        `${page}: npx ${name}`,
      );
    }
    pages += 1;
  }
  assert.ok(pages > 20);
});
