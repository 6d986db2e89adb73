import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { entriesOf, nameOf, packagesOfImage, readLock } from './lock.ts';

type Component = {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly hashes?: object[];
};

test('G15: make sbom lists all packages of the image with their hashes, and no others', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-sbom-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'sbom.json');
  await promisify(execFile)('make', ['--silent', 'sbom', `SBOM=${file}`], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
  });
  const sbom = JSON.parse(await readFile(file, 'utf8'));
  assert.equal(sbom.bomFormat, 'CycloneDX');
  assert.equal(sbom.metadata.component.name, 'tensorgate');
  const components: Component[] = sbom.components;
  assert.deepEqual(
    components.filter(({ hashes }) => !hashes?.length),
    [],
  );
  const lock = await readLock();
  const inImage = packagesOfImage(lock);
  const expected = new Set(
    entriesOf(lock).flatMap(([at, { version }]) => (inImage.has(at) ? [`${nameOf(at)}@${version}`] : [])),
  );
  assert.ok(![...expected].some((one) => one.startsWith('onnxruntime-node@')));
  const listed = new Set(components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`));
  assert.deepEqual([...listed].sort(), [...expected].sort());
  t.diagnostic(`came: ${listed.size} packages`);
});
