import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { entriesOf, nameOf, readLock } from './lock.ts';

type Component = {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly hashes?: object[];
};

test('G15: make sbom lists all production packages with their hashes, and no development packages', async (t) => {
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
  const production = entriesOf(await readLock()).filter(([, { dev }]) => !dev);
  const expected = new Set(production.map(([at, { version }]) => `${nameOf(at)}@${version}`));
  const listed = new Set(components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`));
  assert.deepEqual([...listed].sort(), [...expected].sort());
  t.diagnostic(`came: ${listed.size} packages`);
});
