/** The overlay of GKE without its settings: it fails before anything is applied, and names the command. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { build, copyManifests } from './overlays.ts';
import { options, ROOT } from './tools.ts';

test('F31: GKE without settings is refused with the command that sets them', options, async (t) => {
  const copy = await copyManifests();
  t.after(() => rm(copy, { recursive: true }));
  const overlay = path.join(copy, 'kubernetes/gke');
  const images = (await build(overlay)).flatMap(({ spec }) =>
    spec?.template?.spec.containers.map(({ image }) => image),
  );
  assert.ok(images.includes('europe-west1-docker.pkg.dev/my-project/tensorgate/gateway:1'));
  await cp(path.join(ROOT, 'kubernetes/gke/settings.yaml'), path.join(overlay, 'settings.yaml'));
  await assert.rejects(
    build(overlay),
    /data\.registry` is missing .*kubernetes\/gke\/settings\.sh REGISTRY TAG DOMAIN/,
  );
});
