/** F26 with TensorFlow: inputs of every dtype, and encoded pictures, give the same scores as float32 pixels. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { predict, startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { findPython, startTensorFlowServing } from './server.ts';

const MAKE_INPUTS = new URL('make_inputs.py', import.meta.url).pathname;
const PICTURES = ['png-rgb8.png', 'png-1x1.png', 'png-p8.png'];
const PIXELS = '{size: [4, 6], engine: tensorflow, resize: nearest, scale: none}';
const SIGNATURES = ['float32', 'float16', 'bfloat16', 'uint8', 'int32', 'encoded'];

const python = await findPython();

test('F26: TensorFlow reads inputs of each dtype and encoded pictures', {
  skip: 'missing' in python && python.missing,
}, async (t) => {
  assert.ok('program' in python);
  const cards = SIGNATURES.map((name) => {
    const image = name === 'encoded' ? '{encoded: true}' : PIXELS;
    return [name, `name: ${name}\nsignature: ${name}\nimage: ${image}\nclasses: [a, b]\n`];
  });
  const MODELS = await modelsFolder(t, Object.fromEntries(cards));
  const saved = path.join(MODELS, 'float32', '1');
  await promisify(execFile)(python.program, [MAKE_INPUTS, saved]);
  for (const name of SIGNATURES.slice(1)) await symlink(saved, path.join(MODELS, name, '1'));
  const server = await startTensorFlowServing(python.program, MODELS, { names: SIGNATURES, flags: [] });
  t.after(() => server.stop());
  const gateway = await startGatewayFor(t, { MODELS, TF_SERVING_HOST: server.target });
  await gateway.ready();

  const files = PICTURES.map((name) => readFile(new URL(`../golden/images/${name}`, import.meta.url)));
  const instances = (await Promise.all(files)).map((file) => ({ b64: file.toString('base64') }));
  const scoresOf = async (name: string) => {
    const answer = await predict(gateway, { instances }, `?model=${name}`);
    const text = await answer.text();
    assert.equal(answer.status, 200, `${name}: ${text}`);
    return text;
  };
  const wanted = await scoresOf('float32');
  for (const name of SIGNATURES) assert.equal(await scoresOf(name), wanted, name);
  const webp = (await readFile(new URL('../golden/images/webp-lossy.webp', import.meta.url))).toString('base64');
  const mixed = await predict(gateway, { instances: [...instances, { b64: webp }] }, '?model=encoded');
  const { predictions } = (await mixed.json()) as { predictions: { error?: { kind: string } }[] };
  assert.deepEqual([predictions.length, predictions.at(-1)?.error?.kind], [4, 'image_unreadable']);
  t.diagnostic(`came: ${SIGNATURES.length} signatures, ${wanted}`);
});
