import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { greeting } from './greeting.ts';
import { readCards } from './model/card.ts';

const MODELS = fileURLToPath(new URL('../serving/models', import.meta.url));
const command = async (settings: { tlsCertFile?: string; apiKeysFile?: string }, models = MODELS) =>
  /Try:\n\n {2}(.+)\n\n$/.exec(
    greeting({ tlsCertFile: undefined, apiKeysFile: undefined, ...settings }, 8080, await readCards(models)),
  )?.[1];

test('the command to try is one for this gateway: its port, its scheme, its keys, a picture that is there', async () => {
  assert.match(
    (await command({})) ?? '',
    /^curl localhost:8080\/predict -F file=@serving\/models\/.+\.(jpg|png|webp)$/,
  );
  assert.match((await command({ tlsCertFile: 'a' })) ?? '', /^curl -k https:\/\/localhost:8080\/predict -F /);
  assert.match((await command({ apiKeysFile: 'a' })) ?? '', / -H 'X-API-Key: KEY' -F /);
});
