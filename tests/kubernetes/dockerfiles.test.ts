/** hadolint's opinion of the images. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, runTool } from './tools.ts';

for (const file of ['gateway/Dockerfile', 'serving/Dockerfile']) {
  test(`hadolint finds nothing in ${file}`, options, async () => {
    const { code, stdout, stderr } = await runTool('hadolint', [file]);
    assert.equal(code, 0, stdout + stderr);
  });
}
