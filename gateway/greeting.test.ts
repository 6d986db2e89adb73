import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { greeting } from './greeting.ts';
import { readCards } from './model/folders.ts';

const MODELS = fileURLToPath(new URL('../serving/models', import.meta.url));
const cards = await readCards(MODELS);

function command(settings: { tlsCertFile?: string; apiKeysFile?: string }): string {
  const text = greeting({ tlsCertFile: undefined, apiKeysFile: undefined, ...settings }, 8080, cards);
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
  const text = greeting({ tlsCertFile: undefined, apiKeysFile: 'a' }, 8080, new Map());
  assert.match(text, / {2}curl localhost:8080\/models -H 'X-API-Key: KEY'\n/);
});
