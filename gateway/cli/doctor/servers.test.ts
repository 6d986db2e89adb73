/** The doctor against real model servers of both protocols. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from '../../../tests/cli.ts';
import { startModelServer } from '../../../tests/model-server.ts';
import { modelsFolder } from '../../../tests/models.ts';
import { startOpenInference } from '../../../tests/open-inference-server.ts';

const info = { dtype: 'DT_FLOAT', shape: [-1, 1] } as const;
const SIGNATURE = { inputs: { x: info }, outputs: { y: info } };
const fail = () => assert.fail('no prediction');

async function doctor(env: Record<string, string>) {
  const { code, stdout } = await runCli(['doctor'], { env });
  return { code, text: stdout };
}

test('every configured model server is asked for every model', async (t) => {
  const server = await startModelServer({ ...SIGNATURE, version: 3, onPredict: fail });
  t.after(server.close);
  const other = await startOpenInference({
    ...SIGNATURE,
    versions: ['1', '2'],
    isReady: (version) => version === '1',
    onInfer: fail,
  });
  t.after(other.close);
  const own = `name: own\nbackend: {host: "${other.target}", protocol: open-inference}\n`;
  const MODELS = await modelsFolder(t, { shared: 'name: shared\n', own });
  const { code, text } = await doctor({ MODELS, TF_SERVING_HOST: server.target });
  assert.equal(code, 0, text);
  assert.match(text, new RegExp(`${server.target}, asked by tf-serving\n.*\n${server.target} +shared +3 AVAILABLE\n`));
  assert.match(text, new RegExp(`${other.target}, asked by open-inference\n.*\n.* +own +2 LOADING, 1 AVAILABLE\n`));
  assert.match(text, /\nyes: every server answers/);
  const { stdout } = await runCli(['doctor', '--json'], { env: { MODELS, TF_SERVING_HOST: server.target } });
  const { serves, servers, problems } = JSON.parse(stdout);
  assert.deepEqual([serves, servers.length, problems], [true, 2, []]);
});

test('what is missing or wrong is told with the way out', async (t) => {
  const server = await startModelServer({ ...SIGNATURE, names: ['there'], onPredict: fail });
  t.after(server.close);
  const other = await startOpenInference({ ...SIGNATURE, onInfer: fail });
  t.after(other.close);
  const MODELS = await modelsFolder(t, { there: 'name: there\n', gone: 'name: gone\n', wrong: 'name: [\n' });
  const missing = await doctor({ MODELS, TF_SERVING_HOST: `${server.target},127.0.0.1:1` });
  assert.equal(missing.code, 1);
  assert.match(missing.text, /gone +no such model\n/);
  assert.match(missing.text, /\nno: [\s\S]*gone: no server has a version that is AVAILABLE/);
  assert.match(missing.text, /127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/);
  assert.match(missing.text, /wrong\/model\.yaml/);
  for (const [protocol, target, spoken] of [
    ['tf-serving', other.target, 'open-inference'],
    ['open-inference', server.target, 'tf-serving'],
  ] as const) {
    const { code, text } = await doctor({ MODELS, TF_SERVING_HOST: target, BACKEND_PROTOCOL: protocol });
    assert.equal(code, 1);
    assert.match(text, new RegExp(`${target}: it speaks ${spoken}: set BACKEND_PROTOCOL=${spoken}`));
  }
});

test('an empty MODELS needs a server that answers', async (t) => {
  const server = await startModelServer({ ...SIGNATURE, names: ['there'], onPredict: fail });
  t.after(server.close);
  const MODELS = await modelsFolder(t, {});
  assert.equal((await doctor({ MODELS, TF_SERVING_HOST: server.target })).code, 0);
  const { code, text } = await doctor({ MODELS });
  assert.deepEqual([code, /it has no model server: set TF_SERVING_HOST/.test(text)], [1, true], text);
});
