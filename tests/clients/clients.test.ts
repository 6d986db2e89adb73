/** Public Python clients, unmodified, against the gateway and the embedded server. Each script lists its own checks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { findPython } from '../tf-serving/server.ts';
import { findClients } from './python.ts';

const run = promisify(execFile);
const MODELS = fileURLToPath(new URL('../../serving/models', import.meta.url));

const clients = await findClients();
const tensorflow = await findPython();

describe('clients of the gRPC port', () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await startGateway({ GRPC_PORT: '0', READY_WHEN: 'all' });
    await gateway.ready();
  });
  after(async () => assert.equal(await gateway.stop(), 0));

  async function check(python: string, script: string): Promise<string> {
    const file = fileURLToPath(new URL(script, import.meta.url));
    const { stderr } = await run(python, [file, gateway.grpcTarget, MODELS], { timeout: 120_000 }).catch(
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
