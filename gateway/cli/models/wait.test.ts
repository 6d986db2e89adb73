import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { addModel, onnxModel } from '../../../serving/embedded/testing/onnx-models.ts';
import { startServer, TestClient, until } from '../../../serving/embedded/testing/server.ts';
import { savedModel, temporary, writeFiles } from '../../../tests/candidates.ts';
import { runCli } from '../../../tests/cli.ts';
import { findPython, makeModels, startTensorFlowServing } from '../../../tests/tf-serving/server.ts';
import { EXIT_CODES } from './failure.ts';

const python = await findPython();
const { skip, program } =
  'missing' in python ? { skip: python.missing, program: '' } : { skip: false, program: python.program };

/** An embedded server with version 1, and `tensorgate models` for its folder. */
async function embedded(t: TestContext) {
  const models = await temporary(t);
  await writeFiles(path.join(models, 'adds', '1'), { 'model.onnx': addModel(1) });
  const socket = path.join(models, 'server.sock');
  const base = `--model_base_path=${path.join(models, 'adds')}`;
  await startServer(t, models, '--model_name=adds', base, `--grpc_socket_path=${socket}`);
  const address = `unix:${socket}`;
  const cli = (...args: string[]) =>
    runCli(['models', ...args, '--models', models], { env: { TF_SERVING_HOST: address } });
  const candidate = await writeFiles(path.join(models, 'candidate'), { 'model.onnx': addModel(2) });
  return { models, candidate, address, cli };
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : assert.fail('no port');
}

test('E18: push --wait ends when the server has loaded the version, rollback --wait when it has the one before', async (t) => {
  const { models, candidate, address, cli } = await embedded(t);
  const pushed = await cli('push', candidate, '--model', 'adds', '--wait', '1m');
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stdout, new RegExp(`^adds version 2: ${models}/adds/2, .*; AVAILABLE on ${address}\n$`));
  assert.match(pushed.stderr, new RegExp(`^${address}: version 2 AVAILABLE$`, 'm'));

  const listed = JSON.parse((await cli('list', '--json')).stdout)[0];
  const states = listed.versions.map((row: { states: Record<string, string> }) => row.states[address]);
  assert.deepEqual(states, ['END', 'AVAILABLE']);

  const back = await cli('rollback', 'adds', '--wait', '1m', '--json');
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stderr, new RegExp(`^${address}: version 1 AVAILABLE$`, 'm'));
  const { servers } = JSON.parse(back.stdout);
  assert.deepEqual(
    servers[0].versions.map((one: { version: number; state: string }) => [one.version, one.state]),
    [
      [2, 'END'],
      [1, 'AVAILABLE'],
    ],
  );
  assert.equal((await cli('rollback', 'adds', '--to', '2', '--wait', '1m')).code, 0);
});

test("E18: push --wait shows the server's own error when it cannot load the version", async (t) => {
  const { models, address, cli } = await embedded(t);
  // A valid message with an operation that no runtime has.
  const corrupt = onnxModel({
    inputs: [{ name: 'x', shape: ['n'] }],
    outputs: [{ name: 'y', shape: ['n'] }],
    nodes: [['Nonsense', ['x'], 'y']],
  });
  const candidate = await writeFiles(path.join(models, 'corrupt'), { 'model.onnx': corrupt });
  const { code, stdout, stderr } = await cli('push', candidate, '--model', 'adds', '--wait', '1m', '--json');
  assert.equal(code, EXIT_CODES.notLoaded, stderr);
  assert.match(stderr, new RegExp(`^${address}: version 2 END: .*Nonsense`, 'm'));
  const { version, error } = JSON.parse(stdout);
  assert.equal(version, 2);
  assert.match(error, /Nonsense/);
});

test('E18: push --wait waits for unreachable servers until its timeout', async (t) => {
  const { candidate, address, cli } = await embedded(t);
  const closed = `127.0.0.1:${await unusedPort()}`;
  const hosts = ['--tf-serving-host', `${address},${closed}`];
  const { code, stdout, stderr } = await cli('push', candidate, '--model', 'adds', '--wait', '3s', ...hosts);
  assert.equal(code, EXIT_CODES.timedOut, stderr);
  assert.match(stdout, /^adds version 2: /);
  assert.match(stderr, new RegExp(`^${closed}: cannot be reached$`, 'm'));
  assert.match(stderr, new RegExp(`^not reached within 3 s: ${closed}: cannot be reached$`, 'm'));
});

test('E18: TensorFlow Serving loads a pushed version, reports a load error, and serves by labels', {
  skip,
}, async (t) => {
  const models = await makeModels(program, 'versions');
  const model = path.join(models, 'versions');
  // Versions 2 and 3 are pushed later, and a SavedModel with invalid contents.
  for (const version of ['2', '3']) await rename(path.join(model, version), path.join(models, `pushed-${version}`));
  await writeFiles(path.join(models, 'corrupt'), { 'saved_model.pb': savedModel('nonsense') });
  const flags = [
    '--max_num_load_retries=0',
    '--file_system_poll_wait_seconds=1',
    '--model_config_file_poll_wait_seconds=1',
  ];
  const serving = await startTensorFlowServing(program, models, { names: ['versions'], flags });
  t.after(serving.stop);
  const env = { TF_SERVING_HOST: serving.target, MODELS: models };
  const cli = (...args: string[]) => runCli(['models', ...args], { env });
  const pushed = async (folder: string) =>
    cli('push', path.join(models, folder), '--model', 'versions', '--wait', '1m');

  const second = await pushed('pushed-2');
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, new RegExp(`^${serving.target}: version 2 AVAILABLE$`, 'm'));

  const broken = await pushed('corrupt');
  assert.equal(broken.code, EXIT_CODES.notLoaded, broken.stderr);
  assert.match(broken.stderr, new RegExp(`^${serving.target}: version 3 END: .*(parse|proto)`, 'm'));
  assert.equal((await cli('rollback', 'versions')).code, 0);
  assert.equal((await pushed('pushed-3')).code, 0);

  assert.equal((await cli('label', 'versions', 'stable=2', 'canary=4')).code, 0);
  const client = new TestClient(serving.target);
  t.after(() => client.close());
  for (const [label, version] of Object.entries({ stable: 2, canary: 4 })) {
    const request = { model_spec: { name: 'versions', version_label: label }, metadata_field: ['signature_def'] };
    type Metadata = { model_spec: { version: { value: string } } };
    const labelled = async () => {
      const metadata = await client.call<Metadata>('GetModelMetadata', request).catch(() => undefined);
      return Number(metadata?.model_spec.version.value) === version;
    };
    await until(labelled);
  }
});
