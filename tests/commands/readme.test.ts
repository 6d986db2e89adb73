/** README.md: its commands and answers, and what it names. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parseCard } from '../../gateway/model/card.ts';
import { runCli } from '../cli.ts';
import { blocksOf, kindOf, testPage } from './page.ts';

const ROOT = new URL('../../', import.meta.url);
const PAGE = await readFile(new URL('README.md', ROOT), 'utf8');
const BLOCKS = await blocksOf('README.md');

await testPage('README.md');

test('there are commands, answers and a server in the page', () => {
  const kinds = BLOCKS.map((block, at) => kindOf(block, BLOCKS[at - 1]));
  const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length;
  assert.equal(count('server'), 1);
  assert.ok(count('run') >= 3);
  assert.ok(count('answer') >= 2);
});

test('each block is a command, an answer, a diagram or a model.yaml that the gateway reads', () => {
  for (const [at, block] of BLOCKS.entries()) {
    if (block.language === 'yaml') {
      assert.ok(parseCard(block.text, '/models/clothing-model').classes?.includes('pants'));
    } else if (block.language !== 'mermaid')
      assert.notEqual(kindOf(block, BLOCKS[at - 1]), 'shown', `line ${block.line}`);
  }
});

test('every make target and every command that the page names exists', async () => {
  const makefile = await readFile(new URL('Makefile', ROOT), 'utf8');
  const targets = [...PAGE.matchAll(/`make ([a-z][\w-]*)/g)].map(([, name]) => name);
  assert.ok(targets.length >= 6);
  for (const name of targets) assert.match(makefile, new RegExp(`^${name}: .*## `, 'm'), `make ${name}`);
  // The script that completes commands has all of them.
  const { stdout } = await runCli(['completion', 'bash']);
  const commands = [...PAGE.matchAll(/`\.\/tensorgate ([a-z]+)(?: ([a-z]+))?/g)];
  assert.ok(commands.length >= 6);
  for (const [whole, name = '', sub] of commands) {
    assert.match(stdout, new RegExp(`\\b${name}\\b`), whole);
    if (name === 'models' || name === 'keys') assert.match(stdout, new RegExp(`\\b${sub}\\b`), whole);
  }
});
