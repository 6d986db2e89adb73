/** serving/models as Kubernetes gets it: every card is there, and a changed one rolls the gateway. */
import assert from 'node:assert/strict';
import { appendFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readCards } from '../../gateway/model/card.ts';
import { type Manifest, podsOf } from './manifest.ts';
import { build, copyManifests } from './overlays.ts';
import { options, ROOT } from './tools.ts';

const MODELS_OF_THE_IMAGE = '/app/serving/models';

/** The name of the ConfigMap with the cards: it ends in a hash of them. */
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

  test('the model.yaml of every model is mounted where the gateway looks for it', async () => {
    const mounts = podOf(before, 'gateway')?.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts) ?? [];
    const cards = mounts.flatMap(({ name, mountPath, subPath }) =>
      name === 'model-cards' ? [[mountPath, subPath]] : [],
    );
    const models = [...(await readCards(path.join(ROOT, 'serving/models'))).keys()];
    assert.ok(models.length > 0);
    const expected = models.map((model) => [`${MODELS_OF_THE_IMAGE}/${model}/model.yaml`, `${model}.yaml`]);
    assert.deepEqual(cards.sort(), expected.sort());
    const { data } = before.find(({ metadata }) => metadata.name === cardsOf(before)) as unknown as { data: object };
    assert.deepEqual(Object.keys(data).sort(), models.map((model) => `${model}.yaml`).sort());
  });

  test("a changed model.yaml changes the ConfigMap's name, and with it the gateway's pods alone", async () => {
    await appendFile(path.join(copy, 'serving/models/clothing-model/model.yaml'), '# changed\n');
    const changed = await build(overlay);
    assert.notEqual(cardsOf(changed), cardsOf(before));
    assert.notDeepEqual(podOf(changed, 'gateway'), podOf(before, 'gateway'));
    assert.deepEqual(podOf(changed, 'tf-serving'), podOf(before, 'tf-serving'));
  });
});
