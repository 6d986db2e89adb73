/** Every overlay builds with every component, without findings. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { CHECKS } from './checks.ts';
import { type Manifest, nameOf, podsOf } from './manifest.ts';
import { build, buildCombination, combinations, copyManifests } from './overlays.ts';
import { checkSchema } from './schema.ts';
import { options } from './tools.ts';

/** Kinds without a namespace. */
const CLUSTER_KINDS = ['Namespace', 'PersistentVolume', 'PriorityClass'];

// The schema check looks at each manifest alone, so it runs once on the distinct manifests of all combinations.
const COMBINATION_CHECKS = Object.entries(CHECKS).filter(([, check]) => check !== checkSchema);

describe('the manifests', options, async () => {
  if (options.skip) return;
  const copy = await copyManifests();
  after(() => rm(copy, { recursive: true }));
  const seen = new Map<string, Manifest>();

  test('the base builds and sets no namespace', async () => {
    const manifests = await build(path.join(copy, 'kubernetes/base'));
    assert.ok(manifests.length > 10);
    assert.deepEqual(manifests.filter(({ metadata }) => metadata.namespace !== undefined).map(nameOf), []);
  });

  for (const combination of await combinations()) {
    const manifests = await buildCombination(copy, combination);
    for (const manifest of manifests) seen.set(JSON.stringify(manifest), manifest);

    describe(combination.name, () => {
      for (const [name, check] of COMBINATION_CHECKS) {
        test(`G1: ${name}: no findings`, async () => assert.deepEqual(await check(manifests), []));
      }

      test('every object is in the namespace that the overlay creates', () => {
        const inside = manifests.filter(({ kind }) => !CLUSTER_KINDS.includes(kind));
        const [namespace] = manifests.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
        assert.ok(namespace);
        assert.deepEqual(inside.filter(({ metadata }) => metadata.namespace !== namespace).map(nameOf), []);
      });
    });
  }

  test('G1: schema: no findings in any combination', async () => {
    assert.ok(seen.size > 20);
    assert.deepEqual(await checkSchema([...seen.values()]), []);
  });

  test('G6: no pod mounts a service account token', () => {
    const pods = podsOf([...seen.values()]);
    assert.ok(pods.length > 0);
    const given = pods.filter(({ spec }) => spec.automountServiceAccountToken !== false);
    assert.deepEqual(
      given.map(({ owner }) => owner),
      [],
    );
  });
});
