/** A converted model: its parity is unproven until a person confirms how model.yaml reads pictures. */
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addVersion, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { runCli } from './cli.ts';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

/** Long, because the machine may be busy. */
const WAIT_MS = 60_000;
const COMMITTED = fileURLToPath(new URL('../serving/models/clothing-model/parity', import.meta.url));
const IMAGE = { input: 'image', size: [299, 299], resize: 'nearest', engine: 'pillow', fit: 'stretch', scale: 'tf' };
const yaml = (resize: string) =>
  `name: photos\nimage: ${JSON.stringify({ ...IMAGE, resize })}\nclasses: [a, b]\nscores: logits\n`;

/** What `make convert` writes: here with the tensors of the committed model, which reads pictures in the same way. */
async function converted(t: TestContext): Promise<{ models: string; parity: string }> {
  const models = await modelsFolder(t, { photos: yaml('nearest') });
  const weights = Float32Array.from({ length: 299 * 299 * 3 * 2 }, (_, index) => (index % 7) / 1e6);
  const { model } = pixelModels(weights);
  addVersion(path.join(models, 'photos'), 1, model);
  const parity = path.join(models, 'photos', 'parity');
  await mkdir(parity);
  const { samples } = JSON.parse(await readFile(path.join(COMMITTED, 'tensors.json'), 'utf8'));
  for (const { file } of samples) await cp(path.join(COMMITTED, file), path.join(parity, file));
  await writeFile(path.join(parity, 'tensors.json'), JSON.stringify({ source: 'model.yaml', image: IMAGE, samples }));
  return { models, parity };
}

async function parityOf(gateway: RunningGateway): Promise<{ state?: string; detail?: string }> {
  const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as {
    models: { photos: { parity?: { state: string; detail: string } } };
  };
  return models.photos.parity ?? {};
}

/** Waits until the detail of the model's parity matches. */
async function parityIs(gateway: RunningGateway, state: string, detail: RegExp): Promise<void> {
  await until(async () => detail.test((await parityOf(gateway)).detail ?? ''), WAIT_MS);
  assert.equal((await parityOf(gateway)).state, state);
}

test('A4: a converted model is unproven, and a corrected model.yaml is proven once a person confirms it', async (t) => {
  const { models, parity } = await converted(t);
  const gateway = await startGatewayFor(t, { MODELS: models });
  await gateway.ready();
  await parityIs(gateway, 'unproven', /^version 1 has no parity\/1\.json$/);

  const prove = () => runCli(['models', 'prove', 'photos', '--models', models]);
  const first = await prove();
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    /^photos: version 1 with 5 pictures: resize nearest, engine pillow, .* scale tf\nconfirmed: /,
  );
  await parityIs(gateway, 'proven', /^5 pictures give the tensors of the confirmed model\.yaml and scores$/);

  // The same files, as `make convert` writes them.
  const text = await readFile(path.join(parity, 'tensors.json'), 'utf8');
  await writeFile(path.join(parity, 'tensors.json'), text.replace('"confirmed"', '"model.yaml"'));
  await parityIs(gateway, 'unproven', /^pixels as model\.yaml has them, scores by this SavedModel; /);

  const file = path.join(models, 'photos', 'model.yaml');
  await writeFile(file, yaml('bilinear'));
  await parityIs(gateway, 'unproven', /^model\.yaml was changed after the conversion; .* models prove photos$/);
  await gateway.ready();
  assert.equal((await prove()).code, 0);
  await parityIs(gateway, 'proven', /confirmed model\.yaml/);

  await writeFile(file, yaml('box'));
  await parityIs(gateway, 'differing', /^model\.yaml reads pictures in another way than was confirmed; /);
  await writeFile(file, yaml('bilinear'));
  await gateway.ready();
});

test('A4: prove starts the embedded server if none runs, and replaces no tensors of training', async (t) => {
  const { models, parity } = await converted(t);
  const prove = () => runCli(['models', 'prove', 'photos', '--models', models, '--json']);
  const { code, stdout, stderr } = await prove();
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).versions, [1]);
  const { scores } = JSON.parse(await readFile(path.join(parity, '1.json'), 'utf8'));
  assert.equal(Object.keys(scores).length, 5);

  await cp(path.join(COMMITTED, 'tensors.json'), path.join(parity, 'tensors.json'));
  const training = await prove();
  assert.equal(training.code, 2);
  assert.match(training.stderr, /parity\/tensors\.json: has training's own tensors/);

  await rm(parity, { recursive: true });
  const none = await prove();
  assert.equal(none.code, 2);
  assert.match(none.stderr, /parity: has no pictures; put a few there/);
});
