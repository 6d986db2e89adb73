/** The GitHub workflows: actionlint, pinned actions and permissions. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { options, ROOT, runTool } from '../kubernetes/tools.ts';

type Workflow = { readonly on: object; readonly permissions: object; readonly jobs: Readonly<Record<string, Job>> };
type Job = { readonly permissions?: Readonly<Record<string, string>>; readonly 'timeout-minutes'?: number };

const files = await Array.fromAsync(glob('.github/workflows/*.yml', { cwd: ROOT }));
const textOf = (file: string) => readFile(`${ROOT}${file}`, 'utf8');

test('actionlint finds nothing in the workflows', options, async () => {
  // shellcheck and pyflakes are disabled, because they are not installed everywhere.
  const { code, stdout, stderr } = await runTool('actionlint', ['-shellcheck=', '-pyflakes=', ...files]);
  assert.equal(code, 0, stdout + stderr);
});

test('G13: every action is pinned to a commit, with its version in a comment', async () => {
  let pinned = 0;
  for (const file of files) {
    for (const [, used = ''] of (await textOf(file)).matchAll(/uses: (.*)/g)) {
      assert.match(used, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
      pinned += 1;
    }
  }
  assert.ok(pinned > 0);
});

test('workflows have no permissions, jobs only those they list, and only the image job may write', async () => {
  for (const file of files) {
    const { on, permissions, jobs } = parse(await textOf(file)) as Workflow;
    assert.deepEqual(permissions, {}, file);
    assert.ok(
      !('pull_request_target' in on),
      `${file}: pull_request_target runs code of forks with the rights of this repository`,
    );
    for (const [name, job] of Object.entries(jobs)) {
      const rights = Object.entries(job.permissions ?? {}).filter(([, right]) => right !== 'read');
      assert.ok(rights.length === 0 || `${file} ${name}`.endsWith('images.yml image'), `${file} ${name}: ${rights}`);
      assert.ok(job['timeout-minutes'], `${file} ${name} has no timeout-minutes`);
    }
  }
});

test('G15: images are pushed with provenance, SBOM and a signed attestation', async () => {
  const images = await textOf('.github/workflows/images.yml');
  for (const part of [
    'provenance: mode=max',
    'sbom: true',
    'actions/attest@',
    'id-token: write',
    'SOURCE_DATE_EPOCH',
  ]) {
    assert.ok(images.includes(part), part);
  }
});
