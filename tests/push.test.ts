import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporary } from './candidates.ts';
import { runCli } from './cli.ts';
import { NEWEST } from './committed-model.ts';
import { predict, startGatewayFor } from './gateway.ts';

const COMMITTED = fileURLToPath(new URL(`../serving/models/clothing-model/${NEWEST}`, import.meta.url));

test('a pushed version is served after its parity is proven, and no request fails meanwhile', async (t) => {
  const models = await temporary(t);
  const push = async () => {
    const { code, stderr } = await runCli([
      'models',
      'push',
      COMMITTED,
      '--model',
      'clothing-model',
      '--models',
      models,
    ]);
    assert.equal(code, 0, stderr);
  };
  await push();
  const gateway = await startGatewayFor(t, { MODELS: models });
  await gateway.ready();
  const b64 = (await readFile(path.join(models, 'clothing-model/parity/alpha.png'))).toString('base64');
  const versions = new Set<string | null>();
  const pushed = push();
  for (let left = 500; left > 0 && !versions.has('2'); left -= 1) {
    const answer = await predict(gateway, { b64 });
    assert.equal(answer.status, 200, await answer.text());
    versions.add(answer.headers.get('x-model-version'));
  }
  await pushed;
  assert.deepEqual([...versions], ['1', '2']);

  type Ready = { models: Record<string, { version: number; parity: { state: string } }> };
  const ready = async () =>
    ((await (await fetch(`${gateway.url}/health/ready`)).json()) as Ready).models['clothing-model'];
  for (let left = 100; left > 0 && (await ready())?.version !== 2; left -= 1) await sleep(50);
  assert.deepEqual([(await ready())?.version, (await ready())?.parity.state], [2, 'proven']);
});
