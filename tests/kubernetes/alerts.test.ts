/** The rules of the monitoring component: promtool accepts them, and they pass their tests. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readManifests } from './manifest.ts';
import { options, ROOT, runTool } from './tools.ts';

const MONITORING = path.join(ROOT, 'kubernetes/components/monitoring');

for (const name of ['alerts', 'drift']) {
  test(`${name}.yaml passes promtool and ${name}.test.yaml`, options, async (t) => {
    const cwd = await mkdtemp(path.join(tmpdir(), 'alerts-'));
    t.after(() => rm(cwd, { recursive: true }));
    const [rule] = readManifests(await readFile(path.join(MONITORING, `${name}.yaml`), 'utf8'));
    await writeFile(path.join(cwd, `${name}.rules.yaml`), JSON.stringify(rule?.spec));
    await cp(path.join(MONITORING, `${name}.test.yaml`), path.join(cwd, `${name}.test.yaml`));
    for (const args of [
      ['check', 'rules', '--lint-fatal', `${name}.rules.yaml`],
      ['test', 'rules', `${name}.test.yaml`],
    ]) {
      const { code, stdout, stderr } = await runTool('promtool', args, { cwd });
      assert.equal(code, 0, stdout + stderr);
    }
  });
}
