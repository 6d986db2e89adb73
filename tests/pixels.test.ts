/**
 * A uint8 signature that normalises in the graph gives the scores of the float signature for a quarter of the bytes, and is
 * taken by itself where that is proven.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { addVersion, pixelModels } from '../serving/embedded/testing/onnx-models.ts';
import { predict, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { findPython, startTensorFlowServing } from './tf-serving/server.ts';
import { until } from './until.ts';

const PARITY = new URL('../serving/models/clothing-model/parity/', import.meta.url);
const MAKE_PIXELS = new URL('tf-serving/make_pixels.py', import.meta.url).pathname;
const WEIGHTS = Float32Array.from({ length: 299 * 299 * 3 * 2 }, (_, index) => Math.sin(index) / 100);
const FLOATS = 'signature: serving_default\nimage: {size: [299, 299], scale: tf}';
const PIXELS = 'signature: serving_uint8\nimage: {size: [299, 299], scale: none}';
const AUTO = 'image: {size: [299, 299], scale: tf}';
const card = (signature: string) => `name: pixels\n${signature}\nclasses: [a, b]\n`;

type Tensors = { samples: { file: string; sha256: string }[] };
const tensors = JSON.parse(await readFile(new URL('tensors.json', PARITY), 'utf8')) as Tensors;
const TOLERANCE = 1e-4;

/** Starts a model server for a models folder and returns the gateway's settings for it; {} for the embedded server. */
type Serve = (t: TestContext, models: string) => Promise<Record<string, string>>;

const python = await findPython();
const BACKENDS: Record<string, { serve: Serve; skip?: string }> = {
  'the embedded server': {
    async serve(_, models) {
      const { model, ...further } = pixelModels(WEIGHTS);
      addVersion(path.join(models, 'pixels'), 1, model, further);
      return {};
    },
  },
  'TF-Serving': {
    async serve(t, models) {
      assert.ok('program' in python);
      const file = path.join(models, 'weights');
      await writeFile(file, WEIGHTS);
      await promisify(execFile)(python.program, [MAKE_PIXELS, file, path.join(models, 'pixels', '1')]);
      const server = await startTensorFlowServing(python.program, models, { names: ['pixels'], flags: [] });
      t.after(() => server.stop());
      return { TF_SERVING_HOST: server.target };
    },
    ...('missing' in python && { skip: python.missing }),
  },
};

/** The parity state, the scores of the parity pictures, and the tensor bytes sent for each. */
async function classifyParityPictures(t: TestContext, settings: Record<string, string>) {
  const gateway = await startGatewayFor(t, settings);
  await gateway.ready();
  const { models } = (await (await fetch(`${gateway.url}/health/ready`)).json()) as {
    models: { pixels: { parity: { state: string; detail: string } } };
  };
  const scores: Record<string, number[]> = {};
  for (const { file } of tensors.samples) {
    const b64 = (await readFile(new URL(file, PARITY))).toString('base64');
    const answer = await predict(gateway, { b64 });
    assert.equal(answer.status, 200);
    scores[file] = Object.values((await answer.json()) as Record<string, number>);
  }
  const metrics = await gateway.metrics();
  const [, tensorBytes] = /^tensorgate_bytes_total\{of="tensor"\} (\d+)$/m.exec(metrics) ?? [];
  return { parity: models.pixels.parity, scores, bytesEach: Number(tensorBytes) / tensors.samples.length };
}

for (const [backend, { serve, ...options }] of Object.entries(BACKENDS)) {
  test(`${backend}: uint8 pixels give the scores of floats, and parity is proven`, options, async (t) => {
    const MODELS = await modelsFolder(t, { pixels: card(FLOATS) });
    const parity = path.join(MODELS, 'pixels', 'parity');
    await mkdir(parity);
    await cp(PARITY, parity, { recursive: true, filter: (file) => !/\/\d+\.json$/.test(file) });
    const settings = { MODELS, ...(await serve(t, MODELS)) };

    const floats = await classifyParityPictures(t, settings);
    assert.equal(floats.parity.state, 'unproven');
    assert.equal(floats.bytesEach, 4 * 299 * 299 * 3);
    await writeFile(path.join(parity, '1.json'), JSON.stringify({ tolerance: TOLERANCE, scores: floats.scores }));

    await writeFile(path.join(MODELS, 'pixels', 'model.yaml'), card(PIXELS));
    const pixels = await classifyParityPictures(t, settings);
    assert.equal(pixels.parity.state, 'proven', pixels.parity.detail);
    assert.equal(pixels.bytesEach, 299 * 299 * 3);

    await writeFile(path.join(MODELS, 'pixels', 'model.yaml'), card(AUTO));
    const auto = await classifyParityPictures(t, settings);
    assert.deepEqual(auto, pixels, 'without a signature in model.yaml pixels are taken too');

    await writeFile(path.join(MODELS, 'pixels', 'model.yaml'), card(AUTO.replace('tf', 'torch')));
    const refused = await startGatewayFor(t, settings);
    await until(async () => {
      const ready = await fetch(`${refused.url}/health/ready`);
      return ready.status === 503 && (await ready.text()).includes('parity is differing: parity/tall-420.jpg');
    }, 60_000);
    await writeFile(path.join(MODELS, 'pixels', 'model.yaml'), card(AUTO));

    const samples = tensors.samples.map(({ file, sha256 }) => ({ file, sha256 }));
    await writeFile(path.join(parity, 'tensors.json'), JSON.stringify({ samples }));
    const fallen = await classifyParityPictures(t, settings);
    assert.equal(fallen.parity.state, 'proven', fallen.parity.detail);
    assert.equal(fallen.bytesEach, floats.bytesEach, 'without the hashes of pixels floats are sent');
    assert.deepEqual(fallen.scores, floats.scores);

    const differences = tensors.samples.flatMap(({ file }) =>
      (pixels.scores[file] ?? []).map((score, index) => Math.abs(score - (floats.scores[file]?.[index] ?? Number.NaN))),
    );
    assert.equal(differences.length, 2 * tensors.samples.length);
    assert.ok(Math.max(...differences) <= TOLERANCE, `${differences}`);
  });
}
