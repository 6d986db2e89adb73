/** The rules of the monitoring component: promtool accepts them, they pass their tests, and each alert is tested. */
import assert from 'node:assert/strict';
import { cp, glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { MONITORING, readAlerts, readRuleFiles, writeRuleFiles } from './rules.ts';
import { options, runTool } from './tools.ts';

const TESTS = (await Array.fromAsync(glob('*.test.yaml', { cwd: MONITORING }))).sort();
const RULES = await readRuleFiles();

let cwd: string;
before(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'alerts-'));
  await writeRuleFiles(cwd);
  for (const file of TESTS) await cp(path.join(MONITORING, file), path.join(cwd, file));
});
after(() => rm(cwd, { recursive: true }));

test('the rule files of Prometheus are the specs of the PrometheusRules', async () => {
  assert.ok(RULES.length > 1);
  for (const { name, spec } of RULES) {
    assert.deepEqual(parse(await readFile(path.join(cwd, `${name}.rules.yaml`), 'utf8')), spec, name);
  }
});

test('every alert fires in a test', async () => {
  const texts = await Promise.all(TESTS.map((file) => readFile(path.join(MONITORING, file), 'utf8')));
  const fired = new Set([...texts.join('\n').matchAll(/alertname="(\w+)"/g)].map(([, name]) => name));
  const untested = (await readAlerts()).filter(({ alert }) => !fired.has(alert)).map(({ alert }) => alert);
  assert.deepEqual(untested, []);
});

describe('promtool', options, () => {
  for (const { name } of RULES) {
    test(`accepts the rules of ${name}.yaml`, () => promtool('check', 'rules', '--lint-fatal', `${name}.rules.yaml`));
  }
  for (const file of TESTS) test(`passes ${file}`, () => promtool('test', 'rules', file));
});

async function promtool(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runTool('promtool', args, { cwd });
  assert.equal(code, 0, stdout + stderr);
}
