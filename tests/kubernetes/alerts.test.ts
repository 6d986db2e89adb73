/** The alerts of the monitoring component: promtool accepts them, and they pass alerts.test.yaml. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readManifests } from './manifest.ts';
import { options, ROOT, runTool } from './tools.ts';

const MONITORING = path.join(ROOT, 'kubernetes/components/monitoring');

test('the alert rules pass promtool and alerts.test.yaml', options, async (t) => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'alerts-'));
  t.after(() => rm(cwd, { recursive: true }));
  const [rule] = readManifests(await readFile(path.join(MONITORING, 'alerts.yaml'), 'utf8'));
  await writeFile(path.join(cwd, 'alerts.rules.yaml'), JSON.stringify(rule?.spec));
  await cp(path.join(MONITORING, 'alerts.test.yaml'), path.join(cwd, 'alerts.test.yaml'));
  for (const args of [
    ['check', 'rules', '--lint-fatal', 'alerts.rules.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ]) {
    const { code, stdout, stderr } = await runTool('promtool', args, { cwd });
    assert.equal(code, 0, stdout + stderr);
  }
});
