/** docker-compose.yml end to end: both images, answers and refusals, pushed versions, a crash, and shutdown. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runCli } from '../cli.ts';
import { CHECKS, classify, NEWEST, PICTURE } from '../committed-model.ts';
import { startLoad } from '../load.ts';
import { checkRefusal, REFUSALS } from '../refusals.ts';
import { basesOf, docker, missingForStack, type Stack, startStack } from './stack.ts';

const MODEL = 'clothing-model';
const VERSION = fileURLToPath(new URL(`../../serving/models/${MODEL}/${NEWEST}`, import.meta.url));
const PUSHED = NEWEST + 1;

const missing = await missingForStack();
const options = missing === undefined ? {} : { skip: missing };
let stack: Stack;

const ask = (query?: string) => classify(stack.gateway, PICTURE, query);
const answersBy = (version: number) => (response: Response) =>
  response.status === 200 && response.headers.get('x-model-version') === `${version}`;

/** Asks until the answer is as wanted. Resolves to it, or fails after two minutes. */
async function until(wanted: (response: Response) => boolean, query?: string): Promise<Response> {
  for (let left = 480; left > 0; left -= 1) {
    const response = await ask(query);
    if (wanted(response)) return response;
    await sleep(250);
  }
  return assert.fail('the answer did not come within two minutes');
}

/** Runs `tensorgate models` on the folder that both containers mount. */
async function models(...args: readonly string[]): Promise<void> {
  const env = { MODELS: stack.models, TF_SERVING_HOST: stack.target };
  const { code, stderr } = await runCli(['models', ...args], { env });
  assert.equal(code, 0, stderr);
}

function testAnswers(): void {
  for (const [what, check] of CHECKS) test(what, () => check(stack.gateway));

  for (const refusal of REFUSALS) {
    const [what, , status, kind] = refusal;
    test(`${what}: ${status} ${kind}`, async () => {
      await checkRefusal(stack.gateway, refusal);
    });
  }
}

function testImages(): void {
  test('neither container runs as root, and the gateway adds less than 250 MB to its base image', async () => {
    for (const container of Object.values(stack.ids)) {
      assert.match(await docker('inspect', '--format', '{{.Config.User}}', container), /^[1-9]\d*:[1-9]\d*$/);
    }
    const sizeOf = async (image = '') => Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
    const image = await docker('inspect', '--format', '{{.Image}}', stack.ids.gateway);
    const base = (await basesOf('gateway/Dockerfile')).at(-1);
    const addedBytes = (await sizeOf(image)) - (await sizeOf(base));
    assert.ok(addedBytes > 0 && addedBytes < 250e6, `${addedBytes} bytes`);
  });

  test('without TF_SERVING_HOST the gateway image exits with code 2 and names the setting in one line', async () => {
    const image = await docker('inspect', '--format', '{{.Image}}', stack.ids.gateway);
    await assert.rejects(docker('run', '--rm', '--read-only', image), (error: { code: number; stderr: string }) => {
      assert.match(error.stderr, /^TF_SERVING_HOST is not set.*\n$/);
      return error.code === 2;
    });
  });
}

function testVersions(): void {
  test('a push and a rollback change the version that answers, and no request fails', async (t) => {
    const load = startLoad(t, stack.gateway, { b64: PICTURE.toString('base64') });
    await until(answersBy(NEWEST));
    const pushedMs = performance.now();
    await models('push', VERSION, '--model', MODEL, '--wait', '2m');
    await until(answersBy(PUSHED));
    t.diagnostic(`the new version answered ${Math.round(performance.now() - pushedMs)} ms after the start of the push`);
    await models('rollback', MODEL, '--wait', '2m');
    await until(answersBy(NEWEST));
    const answers = await load.stop();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(new Set(answers.map(({ version }) => version)), new Set([`${NEWEST}`, `${PUSHED}`]));
  });

  test('a label moves without a restart', async () => {
    await models('rollback', MODEL, '--to', `${PUSHED}`);
    for (const version of [NEWEST, PUSHED]) {
      await models('label', MODEL, `canary=${version}`);
      await until(answersBy(version), '?label=canary');
    }
  });
}

function testFailureAndShutdown(): void {
  test('E21: without its model server the gateway answers 503 with Retry-After, and recovers when it is back', async (t) => {
    await docker('kill', stack.ids.tfServing);
    const killedMs = performance.now();
    const refused = await ask();
    t.diagnostic(`the first answer after the kill took ${Math.round(performance.now() - killedMs)} ms`);
    const { kind } = (await refused.json()) as { kind: string };
    assert.deepEqual([refused.status, kind], [503, 'model_unavailable']);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    await docker('start', stack.ids.tfServing);
    const startedMs = performance.now();
    await until(({ status }) => status === 200);
    t.diagnostic(`answers again ${Math.round(performance.now() - startedMs)} ms after the start of the model server`);
    assert.equal(await docker('inspect', '--format', '{{.RestartCount}}', stack.ids.gateway), '0');
  });

  test('both containers exit with code 0 on SIGTERM', async () => {
    await docker('stop', stack.ids.gateway, stack.ids.tfServing);
    for (const container of Object.values(stack.ids)) {
      assert.equal(await docker('inspect', '--format', '{{.State.ExitCode}}', container), '0');
    }
  });
}

describe('docker-compose.yml', options, () => {
  before(async () => {
    stack = await startStack();
  });
  after(() => stack?.down());

  testAnswers();
  testImages();
  testVersions();
  testFailureAndShutdown();
});
