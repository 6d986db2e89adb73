import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { greeting } from './greeting.ts';
import { readCards } from './model/folders.ts';

const MODELS = fileURLToPath(new URL('../serving/models', import.meta.url));
const cards = await readCards(MODELS);

const PLAIN = { tlsCertFile: undefined, apiKeysFile: undefined, playground: true };

function command(settings: { tlsCertFile?: string; apiKeysFile?: string }): string {
  const text = greeting({ ...PLAIN, ...settings }, 8080, cards);
  const scheme = settings.tlsCertFile === undefined ? 'http' : 'https';
  assert.ok(text.startsWith(`\nReady: ${scheme}://localhost:8080/\n\nTry:\n\n`), text);
  return /\n\n {2}(.+)\n\n$/.exec(text)?.[1] ?? '';
}

test('the command to try has the port, scheme and key header of the gateway, and an existing picture', () => {
  assert.match(command({}), /^curl localhost:8080\/predict -F file=@serving\/models\/.+\.(jpg|png|webp)$/);
  assert.match(command({ tlsCertFile: 'a' }), /^curl -k https:\/\/localhost:8080\/predict -F /);
  assert.match(command({ apiKeysFile: 'a' }), / -H 'X-API-Key: KEY' -F /);
});

test('without a model for images the command lists the models', () => {
  const text = greeting({ ...PLAIN, apiKeysFile: 'a' }, 8080, new Map());
  assert.match(text, / {2}curl localhost:8080\/models -H 'X-API-Key: KEY'\n/);
});

test('without the playground no address of a page is printed', () => {
  assert.match(
    greeting({ ...PLAIN, playground: false }, 8080, cards),
    /^\nReady\.\n\nTry:\n\n {2}curl localhost:8080\/predict -F /,
  );
});

test('the picture of a folder elsewhere has its whole path', (t) => {
  const here = process.cwd();
  t.after(() => process.chdir(here));
  process.chdir(import.meta.dirname);
  assert.ok(command({}).includes(` -F file=@${MODELS}/`));
});
