/** A model server whose answers are larger than its signature, or than MAX_OUTPUT_BYTES, allows. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';

const picture = await readFile(new URL('../golden/images/jpg-420.jpg', import.meta.url));
const SCORES = floatTensor([1, 10], Array(10).fill(1));
/** A tensor of `bytes` bytes, with strings in place of numbers. */
const strings = (bytes: number) => ({
  dtype: 'DT_STRING',
  tensor_shape: { dim: [{ size: 1 }, { size: 10 }] },
  tensor_content: Buffer.alloc(bytes),
});

let server: ModelServer;
let gateway: RunningGateway;
let outputs: object = { dense_7: SCORES };

before(async (t) => {
  const { inputs } = XCEPTION;
  const unknown = { dense_7: { dtype: 'DT_FLOAT', shape: [-1, 10] }, boxes: { dtype: 'DT_FLOAT', shape: [-1, -1, 4] } };
  server = await startModelServer({
    ...XCEPTION,
    models: { known: XCEPTION, unknown: { inputs, outputs: unknown } },
    onPredict: () => outputs,
  });
  const names = ['known', 'unknown'];
  const cards = names.map((name) => [name, CARD.replace('name: clothing-model', `name: ${name}\noutput: dense_7`)]);
  gateway = await startGateway({
    TF_SERVING_HOST: server.target,
    MODELS: await modelsFolder(t as TestContext, Object.fromEntries(cards)),
    READY_WHEN: 'all',
  });
  await gateway.ready();
});

after(async () => {
  server.close();
  assert.equal(await gateway.stop(), 0);
});

async function ask(model: string): Promise<readonly [status: number, kind: unknown]> {
  const response = await fetch(`${gateway.url}/predict?model=${model}`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg' },
    body: new Uint8Array(picture),
  });
  return [response.status, ((await response.json()) as { kind?: string }).kind];
}

async function residentMb(): Promise<number> {
  const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(await gateway.metrics()) ?? [];
  return Number(bytes) / 1e6;
}

test('A03: 30 MB of strings where ten scores are wanted are refused, without memory for them', async (t) => {
  outputs = { dense_7: strings(30e6) };
  const beforeMb = await residentMb();
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('known')));
  const grownMb = (await residentMb()) - beforeMb;
  t.diagnostic(`came: eight answers of 502 model_failed, ${grownMb.toFixed()} MB more`);
  assert.deepEqual(new Set(answers.map(String)), new Set(['502,model_failed']));
  assert.ok(grownMb < 100, `${grownMb} MB`);
});

test('A03: an output of unknown size may take MAX_OUTPUT_BYTES, and is not decoded', async () => {
  outputs = { dense_7: SCORES, boxes: strings(0.9e6) };
  assert.deepEqual(await ask('unknown'), [200, undefined]);
  assert.deepEqual(await ask('known'), [502, 'model_failed']);
  outputs = { dense_7: SCORES, boxes: strings(1.2e6) };
  assert.deepEqual(await ask('unknown'), [502, 'model_failed']);
});

test('A03: the gateway answers good requests afterwards', async () => {
  outputs = { dense_7: SCORES };
  assert.deepEqual(await ask('known'), [200, undefined]);
});
