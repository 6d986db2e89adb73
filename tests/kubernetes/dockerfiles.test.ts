/** The Dockerfiles pass hadolint, and set the environment that tests and benchmarks use. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { IMAGE_ENV } from '../gateway.ts';
import { options, runTool } from './tools.ts';

for (const file of [
  'gateway/Dockerfile',
  'serving/Dockerfile',
  'serving/embedded/Dockerfile',
  'serving/training/Dockerfile',
]) {
  test(`hadolint finds nothing in ${file}`, options, async () => {
    const { code, stdout, stderr } = await runTool('hadolint', [file]);
    assert.equal(code, 0, stdout + stderr);
  });
}

test('tests and benchmarks start the gateway with the environment of its image', async () => {
  const dockerfile = await readFile(new URL('../../gateway/Dockerfile', import.meta.url), 'utf8');
  for (const [name, value] of Object.entries(IMAGE_ENV)) assert.ok(dockerfile.includes(` ${name}=${value}`), name);
});

/** The repository's files that a program loads. */
async function filesOf(file: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(file)) return found;
  found.add(file);
  const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export) (?!type )[^']*'(\.[^']+)';/gms)];
  for (const [, target = ''] of imports) await filesOf(path.join(path.dirname(file), target), found);
  return found;
}

test('the image of the embedded server has every file that it loads', async () => {
  const dockerfile = await readFile(new URL('../../serving/embedded/Dockerfile', import.meta.url), 'utf8');
  const copied = [...dockerfile.matchAll(/^COPY ([\w./-]+) \1$/gm)].map(([, folder = '']) => folder);
  const files = await filesOf('serving/embedded/main.ts');
  const missing = [...(await filesOf('serving/embedded/session-worker.ts', files))].filter(
    (file) => !copied.some((folder) => file === folder || file.startsWith(`${folder}/`)),
  );
  assert.deepEqual(missing, []);
  assert.ok(files.has('gateway/grpc/connections.ts'));
});
