/** The Dockerfiles pass hadolint, and set the environment that tests and benchmarks use. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { IMAGE_ENV } from '../gateway.ts';
import { options, runTool } from './tools.ts';

for (const file of ['gateway/Dockerfile', 'serving/Dockerfile', 'serving/embedded/Dockerfile']) {
  test(`hadolint finds nothing in ${file}`, options, async () => {
    const { code, stdout, stderr } = await runTool('hadolint', [file]);
    assert.equal(code, 0, stdout + stderr);
  });
}

test('tests and benchmarks start the gateway with the environment of its image', async () => {
  const dockerfile = await readFile(new URL('../../gateway/Dockerfile', import.meta.url), 'utf8');
  for (const [name, value] of Object.entries(IMAGE_ENV)) assert.ok(dockerfile.includes(` ${name}=${value}`), name);
});
