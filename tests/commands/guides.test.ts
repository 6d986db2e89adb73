/** The commands of the tutorials and how-to guides. Blocks that a test cannot run have a mark, and their syntax is checked. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { groupsIn, INDEX } from '../../docs/site/navigation.ts';
import { blocksOf, kindOf, testPage } from './page.ts';

const ROOT = new URL('../../', import.meta.url);
const GROUPS = groupsIn(await readFile(new URL(INDEX, ROOT), 'utf8'));
const PAGES = GROUPS.slice(0, 2).flatMap(({ entries }) => entries.map(({ file }) => file));

for (const page of PAGES) await testPage(page);

test('every guide has its commands in fences, which have a mark where they are not run', async (t) => {
  assert.ok(PAGES.length >= 20);
  const kinds: string[] = [];
  for (const page of PAGES) {
    const text = await readFile(new URL(page, ROOT), 'utf8');
    assert.doesNotMatch(text.replaceAll(/^```[\s\S]*?^```$/gm, ''), /\n\n {4}\S/, `${page} has an indented block`);
    const blocks = await blocksOf(page);
    kinds.push(...blocks.map((block, at) => kindOf(block, blocks[at - 1])));
  }
  const counts = Object.entries(Object.groupBy(kinds, (kind) => kind)).map(
    ([kind, all = []]) => `${kind} ${all.length}`,
  );
  t.diagnostic(`${kinds.length} blocks: ${counts.join(', ')}`);
});
