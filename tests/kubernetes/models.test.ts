/** The ConfigMap of the model.yaml files: it holds every file, and a changed file rolls out the gateway. */
import assert from 'node:assert/strict';
import { appendFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readCards } from '../../gateway/model/folders.ts';
import { type Manifest, podsOf } from './manifest.ts';
import { build, copyManifests } from './overlays.ts';
import { options, ROOT } from './tools.ts';

const MODELS_IN_IMAGE = '/app/serving/models';

/** The name of the ConfigMap with the model.yaml files. It ends in a hash of its content. */
function cardsOf(manifests: readonly Manifest[]): string {
  const [map] = manifests.filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('model-cards-'),
  );
  return map?.metadata.name ?? assert.fail('there is no ConfigMap model-cards');
}

const podOf = (manifests: readonly Manifest[], name: string) =>
  podsOf(manifests).find(({ owner }) => owner === `Deployment ${name}`);

describe('the models in Kubernetes', options, async () => {
  if (options.skip) return;
  const copy = await copyManifests();
  after(() => rm(copy, { recursive: true }));
  const overlay = path.join(copy, 'kubernetes/kind');
  const before = await build(overlay);

  test('the model.yaml of every model is mounted in the folder that the gateway reads', async () => {
    const mounts = podOf(before, 'gateway')?.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts) ?? [];
    const cards = mounts.flatMap(({ name, mountPath, subPath }) =>
      name === 'model-cards' ? [[mountPath, subPath]] : [],
    );
    const models = [...(await readCards(path.join(ROOT, 'serving/models'))).keys()];
    assert.ok(models.length > 0);
    const expected = models.map((model) => [`${MODELS_IN_IMAGE}/${model}/model.yaml`, `${model}.yaml`]);
    assert.deepEqual(cards.sort(), expected.sort());
    const { data } = before.find(({ metadata }) => metadata.name === cardsOf(before)) as unknown as { data: object };
    assert.deepEqual(Object.keys(data).sort(), models.map((model) => `${model}.yaml`).sort());
  });

  test('a changed model.yaml changes the ConfigMap name and the gateway pods, not the tf-serving pods', async () => {
    await appendFile(path.join(copy, 'serving/models/clothing-model/model.yaml'), '# changed\n');
    const changed = await build(overlay);
    assert.notEqual(cardsOf(changed), cardsOf(before));
    assert.notDeepEqual(podOf(changed, 'gateway'), podOf(before, 'gateway'));
    assert.deepEqual(podOf(changed, 'tf-serving'), podOf(before, 'tf-serving'));
  });

  test('with the models on a volume every model.yaml is read from there, so a canary needs no rollout', async () => {
    const pod = podOf(await build(path.join(copy, 'kubernetes/kind-models')), 'gateway');
    const mounts = pod?.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts) ?? [];
    assert.deepEqual(
      mounts.flatMap(({ name, mountPath }) => (mountPath.startsWith(MODELS_IN_IMAGE) ? [[name, mountPath]] : [])),
      [['models', MODELS_IN_IMAGE]],
    );
  });
});
