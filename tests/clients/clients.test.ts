/** Public Python clients, unmodified, against the gateway and two model servers. Each script lists its own checks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { findPython, makeModels, startTensorFlowServing } from '../tf-serving/server.ts';
import { findClients } from './python.ts';

const run = promisify(execFile);
const MODELS = fileURLToPath(new URL('../../serving/models', import.meta.url));
const NAMES = ['churn', 'credit', 'clothing-model'];
/** A model of the lab that takes tf.Example: Classify and Regress. */
const EXAMPLES = 'examples';

const clients = await findClients();
const tensorflow = await findPython();

type Cleanup = () => Promise<void>;
type Settings = { readonly models: string; readonly settings: Record<string, string> };

const SERVERS: Readonly<Record<string, (cleanups: Cleanup[]) => Promise<Settings>>> = {
  'the embedded server': async () => ({ models: MODELS, settings: {} }),
  async TensorFlow(cleanups) {
    assert.ok('program' in tensorflow);
    const models = await makeModels(tensorflow.program, EXAMPLES);
    cleanups.push(() => rm(models, { recursive: true }));
    for (const name of NAMES) cpSync(path.join(MODELS, name), path.join(models, name), { recursive: true });
    const served = { names: [...NAMES, EXAMPLES], flags: [] };
    const server = await startTensorFlowServing(tensorflow.program, models, served);
    cleanups.unshift(server.stop);
    return { models, settings: { TF_SERVING_HOST: server.target } };
  },
};

for (const [server, start] of Object.entries(SERVERS)) {
  const skip = server === 'TensorFlow' && 'missing' in tensorflow && tensorflow.missing;
  describe(`clients of the gRPC port, on ${server}`, { skip }, () => {
    let gateway: RunningGateway;
    let models: string;
    const cleanups: Cleanup[] = [];
    before(async () => {
      const started = await start(cleanups);
      models = started.models;
      gateway = await startGateway({ GRPC_PORT: '0', MODELS: models, READY_WHEN: 'all', ...started.settings });
      await gateway.ready();
    });
    after(async () => {
      assert.equal(await gateway.stop(), 0);
      for (const cleanup of cleanups) await cleanup();
    });

    async function check(python: string, script: string): Promise<string> {
      const file = fileURLToPath(new URL(script, import.meta.url));
      const { stderr } = await run(python, [file, gateway.grpcTarget, models], { timeout: 120_000 }).catch(
        (failed: { stdout?: string; stderr?: string }) => assert.fail(`${failed.stdout}${failed.stderr}`),
      );
      return stderr;
    }

    test('tritonclient[grpc]', { skip: 'missing' in clients && clients.missing }, async (t) => {
      assert.ok('program' in clients);
      t.diagnostic(await check(clients.program, 'open_inference_grpc.py'));
    });

    test('tensorflow-serving-api', { skip: 'missing' in tensorflow && tensorflow.missing }, async (t) => {
      assert.ok('program' in tensorflow);
      t.diagnostic(await check(tensorflow.program, 'tf_serving_grpc.py'));
    });
  });
}
