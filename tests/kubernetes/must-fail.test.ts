/**
 * Each manifest of kubernetes/must-fail, added to the kind overlay, fails the check that its first line names.
 * manifests.test.ts holds that this overlay alone has no findings.
 */
import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { CHECKS } from './checks.ts';
import { type Manifest, nameOf, readManifests, writeManifests } from './manifest.ts';
import { build, copyManifests } from './overlays.ts';
import { options, ROOT } from './tools.ts';

const FOLDER = path.join(ROOT, 'kubernetes/must-fail');
/** "# CHECK: part of its finding" */
const FIRST_LINE = /^# (?<name>[a-z -]+): (?<finding>.+)\n/;

describe('kubernetes/must-fail', options, async () => {
  if (options.skip) return;
  const copy = await copyManifests();
  after(() => rm(copy, { recursive: true }));
  const sound = await build(path.join(copy, 'kubernetes/kind'));
  const files = (await Array.fromAsync(glob('*.yaml', { cwd: FOLDER }))).sort();
  const refusing = new Set<string>();

  /** Builds the overlay with the manifests of `text`: as patches of existing objects, or as new objects. */
  async function buildWith(text: string): Promise<Manifest[]> {
    const isPatch = (manifest: Manifest) => sound.some((other) => nameOf(other) === nameOf(manifest));
    const { patches = [], added = [] } = Object.groupBy(readManifests(text), (manifest) =>
      isPatch(manifest) ? 'patches' : 'added',
    );
    const folder = await mkdtemp(path.join(copy, 'kubernetes/must-fail-'));
    await writeFile(path.join(folder, 'added.yaml'), writeManifests(added));
    const kustomization = {
      resources: ['../kind', ...(added.length > 0 ? ['added.yaml'] : [])],
      patches: patches.map((patch) => ({ patch: JSON.stringify(patch) })),
      namespace: 'tensorgate',
    };
    await writeFile(path.join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return build(folder);
  }

  for (const file of files) {
    test(`G1: ${file} is refused`, async () => {
      const text = await readFile(path.join(FOLDER, file), 'utf8');
      const { name = '', finding = '' } = FIRST_LINE.exec(text)?.groups ?? {};
      const check = CHECKS[name];
      assert.ok(check, 'the first line must be "# CHECK: part of its finding"');
      refusing.add(name);
      const manifests = await buildWith(text);
      const isChanged = (manifest: Manifest) => !sound.some((one) => isDeepStrictEqual(one, manifest));
      // A schema is about one object: those that are sound need no second look, which takes seconds.
      const findings = await check(name === 'schema' ? manifests.filter(isChanged) : manifests);
      assert.ok(
        findings.some((one) => one.includes(finding)),
        `no "${finding}" among ${JSON.stringify(findings)}`,
      );
    });
  }

  test('every check has a manifest that must fail', () => {
    assert.deepEqual([...refusing].sort(), Object.keys(CHECKS).sort());
  });
});
