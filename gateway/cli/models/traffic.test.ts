import assert from 'node:assert/strict';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { surroundings, temporary, WHOLE, writeFiles } from '../../../tests/candidates.ts';
import { runCli } from '../../../tests/cli.ts';
import { runDelete } from './delete.ts';
import { push } from './push.ts';
import { runRollback } from './rollback.ts';
import { runAbort, runCanary, runPromote, runShadow } from './traffic.ts';

const CARD = `# About pets.
name: pets
image: {size: [8, 8], scale: tf}
classes: [cat, dog] # two
`;

/** A model with versions 1, 2 and 3, of which 2 has the label next. */
async function pets(t: TestContext, card = CARD) {
  const models = await temporary(t);
  const parent = await writeFiles(path.join(models, 'candidate'), surroundings('pets'));
  const candidate = await writeFiles(path.join(parent, '1'), WHOLE);
  const labels = 'version_labels { key: "next" value: 2 }';
  await writeFiles(models, { 'models.config': `model_config_list { config { name: "pets" ${labels} } }` });
  for (const _ of [1, 2, 3]) await push(candidate, 'pets', models);
  const file = path.join(models, 'pets', 'model.yaml');
  await writeFile(file, card);
  const printed: string[] = [];
  const result = (_value: object, text: string) => void printed.push(text);
  const context = { models, shared: undefined, output: { result, progress: assert.fail } };
  return { context, file, models, text: () => readFile(file, 'utf8'), last: () => printed.at(-1) };
}

test('a canary gets a share, and the newest other version is pinned; then it is promoted', async (t) => {
  const { context, text, last } = await pets(t);
  await runCanary('pets', { version: 3, share: '10%', sticky: 'header x-user-id' }, context);
  const traffic = 'traffic:\n  stable: 2\n  canary: { version: 3, share: 10% }\n  sticky: header x-user-id\n';
  assert.equal(await text(), `${CARD}${traffic}`);
  assert.equal(last(), 'pets: version 3 gets 10% of the requests that name no version, and version 2 the others');
  await runCanary('pets', { version: 3, share: '50%' }, context);
  assert.equal(await text(), `${CARD}${traffic.replace('10%', '50%')}`);
  await runPromote('pets', undefined, context);
  assert.equal(await text(), `${CARD}traffic:\n  stable: 3\n  sticky: header x-user-id\n`);
  assert.equal(last(), 'pets: version 3 answers the requests that name no version');
  await runPromote('pets', 1, context);
  assert.match(await text(), /stable: 1\n/);
});

test('abort ends the canary and the shadow, and the version before answers again', async (t) => {
  const { context, text, last } = await pets(t, `${CARD}traffic: {canary: {version: 3, share: 5%}}\n`);
  await runShadow('pets', { version: 'next', share: '20%' }, context);
  assert.match(await text(), /shadow: \{ version: next, share: 20% \}\n$/);
  await runAbort('pets', context);
  assert.equal(await text(), `${CARD}traffic: {stable: 2}\n`);
  assert.equal(
    last(),
    'pets: ended the canary 3 and the shadow next; version 2 answers the requests that name no version',
  );
  const none = /^pets: has neither a canary nor a shadow in model.yaml$/;
  await assert.rejects(runAbort('pets', context), { message: none, exitCode: 2 });
});

test('what cannot be is refused, and the file stays as it was', async (t) => {
  const { context, text } = await pets(t, `${CARD}traffic: {stable: 3}\n`);
  const before = await text();
  const options = { share: '10%' };
  for (const [version, message] of [
    [9, /^pets: version 9 is not in service; there are 1, 2, 3$/],
    ['last', /^pets: no version has the label last; there are next$/],
    [3, /^pets\/model.yaml:5: traffic.canary: is the stable version; nothing has changed$/],
  ] as const)
    await assert.rejects(runCanary('pets', { version, ...options }, context), { message, exitCode: 2 });
  await assert.rejects(runCanary('pets', { version: 2, share: '10%', sticky: 'cookie a' }, context), { exitCode: 2 });
  await assert.rejects(runPromote('pets', undefined, context), { message: /has no canary in model.yaml; --version N/ });
  await assert.rejects(runPromote('cats', 3, context), { message: /cats\/model.yaml: does not exist; / });
  assert.equal(await text(), before);
});

test('a version that model.yaml names is neither withdrawn nor deleted', async (t) => {
  const { context } = await pets(t, `${CARD}traffic: {stable: 3, canary: {version: 1, share: 10%}}\n`);
  const stable = /^pets: model.yaml has version 3 as the stable one; first tensorgate models promote pets --version N$/;
  await assert.rejects(runRollback({ model: 'pets' }, context), { message: stable, exitCode: 2 });
  const canary = /^pets: model.yaml has version 1 as the canary; first tensorgate models abort pets$/;
  await assert.rejects(runDelete('pets', 1, context), { message: canary, exitCode: 2 });
});

test('a link to model.yaml stays a link', async (t) => {
  const { context, file, models } = await pets(t);
  const target = path.join(models, 'elsewhere.yaml');
  await writeFile(target, CARD);
  await rm(file);
  await symlink(target, file);
  await runShadow('pets', { version: 3, share: '1%' }, context);
  assert.match(await readFile(target, 'utf8'), /shadow: \{ version: 3, share: 1% \}\n$/);
});

test('tensorgate models canary takes --version, and says what is wrong with a share', async (t) => {
  const { models, text } = await pets(t);
  const run = (...args: readonly string[]) => runCli(['models', ...args, '--models', models]);
  const done = await run('canary', 'pets', '--version', '3', '--share', '12.5%', '--json');
  assert.deepEqual(JSON.parse(done.stdout).traffic, { stable: 2, canary: { version: 3, share: 0.125 } });
  const before = await text();
  const wrong = await run('canary', 'pets', '--version', '3', '--share', '10');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--share <percentage>.*needs a percentage from 0% to 100%, such as 10%/);
  assert.equal(await text(), before);
});
