import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporary } from './candidates.ts';
import { NEWEST } from './committed-model.ts';
import { EXPECTED, needsDataset, type Photo, readPhoto, testPhotos } from './dataset.ts';
import { predict, type RunningGateway, startGatewayFor } from './gateway.ts';
import { startClothingModel } from './model-server.ts';
import { CLASSES, modelsFolder } from './models.ts';
import { type Origin, startOrigin } from './origin.ts';
import { findPython, makeModels, startTensorFlowServing, type TensorFlowServing } from './tf-serving/server.ts';

const MODEL = fileURLToPath(new URL('../serving/models/clothing-model/', import.meta.url));
const PANTS = 'pants/4aabd82c-82e1-4181-a84d-d0c6e550d26d.jpg';
const AT_ONCE = 4;

const python = await findPython();
const needsTensorFlow = { ...needsDataset, ...('missing' in python ? { skip: python.missing } : {}) };
const withPython = 'program' in python ? python.program : '';

type GoldenImage = { readonly path: string; readonly results: Readonly<Record<string, { sha256: string }>> };
type Scores = Readonly<Record<string, number>>;

let origin: Origin;
let photos: readonly Photo[];
let evaluation: { test: { photos: number; correct: number; calibration_error: number } };

before(async () => {
  if ('skip' in needsDataset) return;
  photos = await testPhotos();
  const pages = await Promise.all(photos.map(async ({ name }) => [`/${name}`, await readPhoto(name)] as const));
  origin = await startOrigin(Object.fromEntries(pages));
  evaluation = JSON.parse(await readFile(path.join(MODEL, `evaluation/${NEWEST}.json`), 'utf8'));
});
after(() => origin?.close());

/** Classifies every photo by URL. Resolves with the scores by photo name. */
async function classifyAll(gateway: RunningGateway): Promise<Map<string, Scores>> {
  const scores = new Map<string, Scores>();
  const queue = photos.values();
  const work = async () => {
    for (const { name } of queue) {
      const response = await predict(gateway, { url: `${origin.url}/${name}` });
      assert.equal(response.status, 200, name);
      scores.set(name, (await response.json()) as Scores);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return scores;
}

/** The number of photos whose best class is their label. */
function countCorrect(scores: ReadonlyMap<string, Scores>): number {
  const best = (named: Scores) => Object.entries(named).reduce((one, other) => (other[1] > one[1] ? other : one))[0];
  return photos.filter(({ label, name }) => best(scores.get(name) ?? assert.fail(name)) === label).length;
}

/** Expected calibration error of the softmax, in 15 bins of equal width (Guo et al. 2017). */
function calibrationError(scores: ReadonlyMap<string, Scores>): number {
  const bins = new Map<number, number>();
  for (const { label, name } of photos) {
    const entries = Object.entries(scores.get(name) ?? assert.fail(name));
    const [best, top] = entries.reduce((one, other) => (other[1] > one[1] ? other : one));
    const confidence = 1 / entries.reduce((sum, [, logit]) => sum + Math.exp(logit - top), 0);
    const bin = Math.ceil(confidence * 15);
    bins.set(bin, (bins.get(bin) ?? 0) + (best === label ? 1 : 0) - confidence);
  }
  return [...bins.values()].reduce((sum, gap) => sum + Math.abs(gap), 0) / photos.length;
}

async function start(t: TestContext, settings: Record<string, string>): Promise<RunningGateway> {
  const gateway = await startGatewayFor(t, { FETCH_ALLOW_PRIVATE: 'true', ...settings });
  await gateway.ready();
  return gateway;
}

let embedded: Map<string, Scores>;

test(
  'clothing test photos: the embedded server reaches exactly the accuracy of the model card',
  needsDataset,
  async (t) => {
    embedded = await classifyAll(await start(t, {}));
    assert.equal(embedded.size, evaluation.test.photos);
    assert.equal(countCorrect(embedded), evaluation.test.correct);
    const error = calibrationError(embedded);
    assert.ok(Math.abs(error - evaluation.test.calibration_error) < 1e-3, `calibration error ${error}`);
    assert.ok(error < 0.05, `calibration error ${error}`);
    t.diagnostic(`${countCorrect(embedded)} of ${embedded.size} correct, calibration error ${error.toFixed(4)}`);
  },
);

describe('on TensorFlow', needsTensorFlow, () => {
  const tiny = 'clothing-model-tiny';
  let models: string;
  let server: TensorFlowServing;

  before(async () => {
    models = await makeModels(withPython, tiny);
    await cp(MODEL, path.join(models, 'clothing-model'), { recursive: true });
    server = await startTensorFlowServing(withPython, models, { names: ['clothing-model', tiny], flags: [] });
  });
  after(async () => {
    await server.stop();
    await rm(models, { recursive: true });
  });

  test('clothing test photos: TensorFlow gives the same accuracy, and scores within 1e-4', async (t) => {
    const folder = await temporary(t);
    await cp(MODEL, path.join(folder, 'clothing-model'), { recursive: true });
    const gateway = await start(t, { TF_SERVING_HOST: server.target, MODELS: folder });
    const scores = await classifyAll(gateway);
    assert.equal(countCorrect(scores), evaluation.test.correct);
    const differences = [...scores].flatMap(([name, named]) =>
      Object.entries(named).map(([label, score]) => Math.abs(score - (embedded.get(name)?.[label] ?? Number.NaN))),
    );
    const largest = differences.reduce((one, other) => Math.max(one, other));
    assert.ok(largest <= 1e-4, `largest difference ${largest}`);
    t.diagnostic(`${countCorrect(scores)} of ${scores.size} correct, largest score difference ${largest}`);
  });

  test('the original signature: ten classes from input_8 and dense_7 of a TensorFlow model', async (t) => {
    const card = `name: ${tiny}\nimage: {size: [299, 299], scale: tf}\nclasses: [${CLASSES}]\n`;
    const gateway = await start(t, {
      TF_SERVING_HOST: server.target,
      MODELS: await modelsFolder(t, { [tiny]: card }),
    });
    const response = await predict(gateway, { url: `${origin.url}/${PANTS}` });
    assert.equal(response.status, 200);
    assert.deepEqual(Object.keys((await response.json()) as Scores), CLASSES);
  });
});

test('the tensor of the pants photo equals that of keras-image-helper', needsDataset, async (t) => {
  const model = await startClothingModel();
  t.after(async () => model.close());
  const gateway = await start(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await predict(gateway, { url: `${origin.url}/${PANTS}` });
  const bytes = model.calls.at(-1)?.inputs.input_8?.tensor_content ?? assert.fail('no tensor');
  const first = [0, 4, 8].map((offset) => bytes.readFloatLE(offset));
  assert.deepEqual(first, [-0.11372548, -0.15294117, -0.19999999].map(Math.fround));
  const { images } = JSON.parse(await readFile(EXPECTED, 'utf8')) as { images: GoldenImage[] };
  const expected = images.find(({ path }) => path === `test/${PANTS}`)?.results['kih-xception-299']?.sha256;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.equal(sha256, expected);
});
