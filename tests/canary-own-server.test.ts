/** A canary by labels and version policies of models.config, on the embedded server that the gateway starts by itself. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { placeOf } from '../gateway/model/traffic.ts';
import { addModel, addVersion } from '../serving/embedded/testing/onnx-models.ts';
import { runCli } from './cli.ts';
import { type RunningGateway, startGatewayFor } from './gateway.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const TRAFFIC = '{stable: stable, canary: {version: next, share: 50%}, sticky: header x-user-id}';

/** A user of each side. */
const [canary = '', stable = ''] = [true, false].map((isCanary) =>
  'abcdefgh'.split('').find((user) => placeOf('plus', user) < 0.5 === isCanary),
);

/** The version that answers: the model adds its number to 0. Or the error. */
async function answerTo({ url }: RunningGateway, user: string, query = ''): Promise<unknown> {
  const response = await fetch(`${url}/predict?model=plus${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-User-Id': user },
    body: JSON.stringify({ instances: [{ x: 0 }] }),
  });
  const { predictions, kind } = (await response.json()) as { predictions?: [{ y: number } | number]; kind?: string };
  const [first] = predictions ?? [];
  return typeof first === 'object' ? first.y : (first ?? kind);
}

test('labels and policies of models.config decide which versions are the stable one and the canary', async (t) => {
  const models = await modelsFolder(t, { plus: `name: plus\ntraffic: ${TRAFFIC}\n` });
  for (const version of [1, 2, 3]) addVersion(path.join(models, 'plus'), version, addModel(version));
  const fields = 'name: "plus" base_path: "/models/plus" model_platform: "tensorflow"';
  const configure = (policy: string, stableVersion: number, next: number) =>
    writeFile(
      path.join(models, 'models.config'),
      `model_config_list { config { ${fields} model_version_policy { ${policy} }
        version_labels { key: "stable" value: ${stableVersion} } version_labels { key: "next" value: ${next} } } }`,
    );
  await configure('latest { num_versions: 2 }', 2, 3);
  const gateway = await startGatewayFor(t, { MODELS: models });
  await gateway.ready();
  const both = async (query?: string) => [
    await answerTo(gateway, stable, query),
    await answerTo(gateway, canary, query),
  ];
  const become = (wanted: readonly unknown[], query?: string) =>
    until(async () => JSON.stringify(await both(query)) === JSON.stringify(wanted), 20_000);
  await become([2, 3]);
  assert.deepEqual(await both('&version=1'), ['model_not_found', 'model_not_found']);

  // A reload: another policy, and labels that move.
  await configure('specific { versions: [1, 2] }', 1, 2);
  await become([1, 2]);
  await become(['model_not_found', 'model_not_found'], '&version=3');
  await configure('all {}', 1, 3);
  await become([1, 3]);
  const { code, stderr } = await runCli(['models', 'label', 'plus', 'stable=3', 'next=2'], { env: { MODELS: models } });
  assert.equal(code, 0, stderr);
  await become([3, 2]);
  // A label that goes leaves its share to the stable version.
  const removed = await runCli(['models', 'label', 'plus', 'next='], { env: { MODELS: models } });
  assert.equal(removed.code, 0, removed.stderr);
  await become([3, 3]);
});
