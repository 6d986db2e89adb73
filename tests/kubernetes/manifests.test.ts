/** Every overlay with every component: it builds, and no check finds anything. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { CHECKS } from './checks.ts';
import { type Manifest, nameOf, podsOf } from './manifest.ts';
import { build, buildCombination, combinations, copyManifests } from './overlays.ts';
import { checkSchema } from './schema.ts';
import { options } from './tools.ts';

/** Kinds that belong to the cluster, not to a namespace. */
const OF_THE_CLUSTER = ['Namespace', 'PersistentVolume', 'PriorityClass'];

// A manifest's schema has nothing to do with its neighbours: what several combinations share is checked once.
const CHECKS_OF_THE_WHOLE = Object.entries(CHECKS).filter(([, check]) => check !== checkSchema);

describe('the manifests', options, async () => {
  if (options.skip) return;
  const copy = await copyManifests();
  after(() => rm(copy, { recursive: true }));
  const seen = new Map<string, Manifest>();

  test('the base builds and leaves the namespace to the overlays', async () => {
    const manifests = await build(path.join(copy, 'kubernetes/base'));
    assert.ok(manifests.length > 10);
    assert.deepEqual(manifests.filter(({ metadata }) => metadata.namespace !== undefined).map(nameOf), []);
  });

  for (const combination of await combinations()) {
    const manifests = await buildCombination(copy, combination);
    for (const manifest of manifests) seen.set(JSON.stringify(manifest), manifest);

    describe(combination.name, () => {
      for (const [name, check] of CHECKS_OF_THE_WHOLE) {
        test(`G1: ${name}: no findings`, async () => assert.deepEqual(await check(manifests), []));
      }

      test('everything lies in the namespace that the overlay makes', () => {
        const inside = manifests.filter(({ kind }) => !OF_THE_CLUSTER.includes(kind));
        const [namespace] = manifests.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
        assert.ok(namespace);
        assert.deepEqual(inside.filter(({ metadata }) => metadata.namespace !== namespace).map(nameOf), []);
      });
    });
  }

  test('G1: schema: no findings in any of them', async () => {
    assert.ok(seen.size > 20);
    assert.deepEqual(await checkSchema([...seen.values()]), []);
  });

  test('G6: no pod gets a token of its service account', () => {
    const pods = podsOf([...seen.values()]);
    assert.ok(pods.length > 0);
    const given = pods.filter(({ spec }) => spec.automountServiceAccountToken !== false);
    assert.deepEqual(
      given.map(({ owner }) => owner),
      [],
    );
  });
});
