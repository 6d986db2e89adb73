import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { addModel, addVersion, onnxModel, slowModel } from './testing/onnx-models.ts';
import { runServer, spawnServer, startServer, TestClient, temporaryFolder, until } from './testing/server.ts';

const folder = temporaryFolder({ after });
const base = join(folder, 'm');
addVersion(base, 1, addModel(1));
const model = ['--model_name=m', `--model_base_path=${base}`];

const FAILURES: [string[], RegExp][] = [
  [['--help'], /^usage: serving\/embedded\/main\.ts\nFlags:\n/],
  [['--port=x'], /Couldn't interpret value x for flag port\.\nusage: /],
  [
    [],
    /^Failed to start server\. Error: INVALID_ARGUMENT: Both server_options\.model_base_path and server_options\.model_config_file are empty!\n$/,
  ],
  [
    [...model, '--batching_parameters_file=/x'],
    /INVALID_ARGUMENT: server_options\.batching_parameters_file is set without setting server_options\.enable_batching/,
  ],
  [['--model_config_file=/none'], /^Failed to start server\. Error: NOT_FOUND: \/none; No such file or directory\n$/],
  [[...model, '--grpc_socket_path=/none/s'], /INVALID_ARGUMENT: Failed to BuildAndStart gRPC server/],
];
for (const [flags, text] of FAILURES) {
  test(`${flags.join(' ') || 'no flags'}: exit code 255`, async () => {
    const { code, output } = await runServer(...flags);
    assert.match(output, text);
    assert.equal(code, 255);
  });
}

test('B11: a model that cannot be loaded at the start is logged with the reason, and the server runs', async (t) => {
  const broken = join(temporaryFolder(t), 'm');
  addVersion(broken, 1, Buffer.from('damaged'));
  const { output } = await startServer(t, folder, '--model_name=m', `--model_base_path=${broken}`);
  const text =
    '1 servable(s) did not become available: {{{name: m version: 1} due to error: ' +
    `DATA_LOSS: Can't parse ${join(broken, '1', 'model.onnx')} as binary proto}, }`;
  assert.ok(output().includes(text), output());
  assert.match(output(), /serving no model yet on unix:/);
});

test('a model with an unsupported tensor type is refused with the reason', async (t) => {
  const odd = join(temporaryFolder(t), 'm');
  const value = { type: 'COMPLEX128', shape: ['n'] } as const;
  const graph = onnxModel({
    inputs: [{ name: 'x', ...value }],
    outputs: [{ name: 'y', ...value }],
    nodes: [['Identity', ['x'], 'y']],
  });
  addVersion(odd, 1, graph);
  const { output } = await startServer(t, folder, '--model_name=m', `--model_base_path=${odd}`);
  assert.match(
    output(),
    /did not become available: .* due to error: UNKNOWN: .*: x has a type that cannot be served: complex128/,
  );
});

test('an unknown flag is logged and ignored', async (t) => {
  const { client, output } = await startServer(t, folder, ...model, '--what=1');
  assert.deepEqual(await client.predictY('m', [0]), [1]);
  assert.match(output(), /unknown argument: --what=1\n/);
});

test('--port=0 listens on a free loopback port and logs it', async (t) => {
  const { output } = await startServer(t, folder, ...model, '--grpc_socket_path=');
  const [, address = ''] = /^\[embedded\] serving m version 1 on (127\.0\.0\.1:\d+)$/m.exec(output()) ?? [];
  const client = new TestClient(address);
  t.after(() => client.close());
  assert.deepEqual(await client.predictY('m', [0]), [1]);
});

test('--enable_serialization_as_tensor_content encodes outputs as tensor_content', async (t) => {
  const { client } = await startServer(t, folder, ...model, '--enable_serialization_as_tensor_content');
  const { outputs } = await client.predict('m', { x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] } } });
  assert.deepEqual(outputs.y?.tensor_content, Buffer.from(Float32Array.of(1).buffer));
});

test('the batching parameters file is applied', async (t) => {
  const file = join(folder, 'batching.config');
  writeFileSync(file, 'max_batch_size { value: 2 }');
  const { client } = await startServer(t, folder, ...model, '--enable_batching', `--batching_parameters_file=${file}`);
  const details = 'Task size 3 is larger than maximum input batch size 2';
  await assert.rejects(client.predictY('m', [1, 2, 3]), { code: status.INVALID_ARGUMENT, details });
  assert.deepEqual(await client.predictY('m', [1, 2]), [2, 3]);
});

const ROWS = 300;

test('SIGTERM: calls in flight are answered, then exit code 0', async (t) => {
  const slow = join(temporaryFolder(t), 'm');
  addVersion(slow, 1, slowModel());
  const server = await startServer(t, folder, '--model_name=m', `--model_base_path=${slow}`);
  const rows = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: ROWS }, { size: 512 }] } };
  await server.client.predict('m', { x: { ...rows, tensor_shape: { dim: [{ size: 1 }, { size: 512 }] } } });
  const calls = [1, 2].map(() => server.client.predict('m', { x: rows }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  server.process.kill('SIGTERM');
  const exit = once(server.process, 'exit');
  for (const { outputs } of await Promise.all(calls)) assert.equal(outputs.y?.float_val.length, ROWS * 512);
  assert.deepEqual(await exit, [0, null]);
});

test('SIGTERM while a model has no version: exit code 0', async (t) => {
  const missing = join(temporaryFolder(t), 'm');
  const server = spawnServer(t, folder, '--model_name=m', `--model_base_path=${missing}`);
  await until(() => server.output().includes('Could not find base path'));
  server.process.kill('SIGTERM');
  assert.deepEqual(await once(server.process, 'exit'), [0, null]);
});

test('a socket left by a killed server is replaced', async (t) => {
  const socket = join(folder, 'again.sock');
  const first = await startServer(t, folder, ...model, `--grpc_socket_path=${socket}`);
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  assert.ok(statSync(socket).isSocket());
  await startServer(t, folder, ...model, `--grpc_socket_path=${socket}`);
  const client = new TestClient(`unix:${socket}`);
  t.after(() => client.close());
  assert.deepEqual(await client.predictY('m', [0]), [1]);
});

test('the server exits when its parent process disconnects', async (t) => {
  const { process: child } = await startServer(t, folder, ...model);
  child.disconnect();
  await until(() => child.exitCode === 0);
});
