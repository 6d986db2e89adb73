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
import { findPython, makeModels, type Python, startTensorFlowServing } from '../tf-serving/server.ts';
import { findClients } from './python.ts';

const run = promisify(execFile);
const MODELS = fileURLToPath(new URL('../../serving/models', import.meta.url));
const NAMES = ['churn', 'credit', 'clothing-model'];
/** A model of the lab that takes tf.Example: Classify and Regress. */
const EXAMPLES = 'examples';

const clients = await findClients();
const tensorflow = await findPython();

type Cleanup = () => Promise<void>;
type Settings = {
  readonly models: string;
  readonly settings: Record<string, string>;
  /** The tests of tensorflow-serving-api. Default: all. */
  readonly tensorFlowTests?: readonly string[];
};

const EMBEDDED = 'the embedded server';
const SERVERS: Readonly<Record<string, (cleanups: Cleanup[]) => Promise<Settings>>> = {
  [EMBEDDED]: async () => ({ models: MODELS, settings: {} }),
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
  async 'a server of the Open Inference Protocol'(cleanups) {
    const server = await startGateway({ GRPC_PORT: '0' });
    cleanups.push(async () => assert.equal(await server.stop(), 0));
    await server.ready();
    const settings = { TF_SERVING_HOST: server.grpcTarget, BACKEND_PROTOCOL: 'open-inference' };
    // It has no Classify and no Regress.
    const tensorFlowTests = ['Predict', 'LookUps', 'Mistakes.test_are_statuses_with_the_reason'];
    return { models: MODELS, settings, tensorFlowTests };
  },
};

/** `once`: on the embedded server only. On the others, other tests send the requests of these routes: see below. */
type Check = {
  readonly client: string;
  readonly script: string;
  readonly python: Python;
  readonly isGrpc?: true;
  readonly once?: true;
};
const CHECKS: readonly Check[] = [
  { client: 'tritonclient[grpc]', script: 'open_inference_grpc.py', python: clients, isGrpc: true },
  { client: 'tensorflow-serving-api', script: 'tf_serving_grpc.py', python: tensorflow, isGrpc: true },
  { client: 'tritonclient[http]', script: 'open_inference_http.py', python: clients },
  // tests/tf-serving/rest.test.ts and tests/open-inference-backend.test.ts have /v1, tritonclient has /v2.
  { client: "kserve's InferenceRESTClient, v1 and v2", script: 'kserve_rest.py', python: clients, once: true },
  // tests/invocations.test.ts compares these routes with /predict.
  { client: "MLflow's and Vertex AI's", script: 'platforms.py', python: clients, once: true },
];
/** For requests that name no model. */
const PLATFORM = { MODEL_NAME: 'churn', AIP_PREDICT_ROUTE: '/v1/endpoints/7:predict' };

for (const [server, start] of Object.entries(SERVERS)) {
  const skip = server === 'TensorFlow' && 'missing' in tensorflow && tensorflow.missing;
  describe(`public clients, on ${server}`, { skip }, () => {
    let gateway: RunningGateway;
    let models: string;
    let tensorFlowTests: readonly string[];
    const cleanups: Cleanup[] = [];
    before(async () => {
      const started = await start(cleanups);
      models = started.models;
      tensorFlowTests = started.tensorFlowTests ?? [];
      const settings = { ...PLATFORM, GRPC_PORT: '0', MODELS: models, READY_WHEN: 'all', ...started.settings };
      gateway = await startGateway(settings);
      await gateway.ready();
    });
    after(async () => {
      assert.equal(await gateway.stop(), 0);
      for (const cleanup of cleanups) await cleanup();
    });

    for (const { client, script, python, isGrpc } of CHECKS.filter(({ once }) => !once || server === EMBEDDED)) {
      test(client, { skip: 'missing' in python && python.missing }, async (t) => {
        assert.ok('program' in python);
        const file = fileURLToPath(new URL(script, import.meta.url));
        const target = isGrpc ? gateway.grpcTarget : new URL(gateway.url).host;
        const tests = python === tensorflow ? tensorFlowTests : [];
        const { stderr } = await run(python.program, [file, target, models, ...tests], { timeout: 120_000 }).catch(
          (failed: { stdout?: string; stderr?: string }) => assert.fail(`${failed.stdout}${failed.stderr}`),
        );
        t.diagnostic(stderr);
      });
    }
  });
}
