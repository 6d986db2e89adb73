import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Policy } from './model-config.ts';
import { findVersions, missingVersions } from './storage-path.ts';
import { temporaryFolder } from './testing/server.ts';

function config(basePath: string, policy: Policy) {
  return { name: 'm', basePath, policy, labels: new Map() };
}

/** A base path with versions 2, 9 and 10, and entries that are not versions. */
function base(t: TestContext): string {
  const folder = temporaryFolder(t);
  for (const child of ['2', '9', '10', 'incoming-11', '12a', '-1', '1.5']) mkdirSync(join(folder, child));
  writeFileSync(join(folder, 'model.yaml'), '');
  return folder;
}

const POLICIES: [Policy, number[]][] = [
  [{ kind: 'latest', count: 1 }, [10]],
  [{ kind: 'latest', count: 2 }, [10, 9]],
  [{ kind: 'all' }, [10, 9, 2]],
  [{ kind: 'specific', versions: new Set([2, 3]) }, [2]],
];
for (const [policy, expected] of POLICIES) {
  test(`policy ${JSON.stringify(policy)} selects ${expected}`, async (t) => {
    assert.deepEqual([...(await findVersions(config(base(t), policy))).keys()], expected);
  });
}

test('the stamp changes when a file changes', async (t) => {
  const folder = base(t);
  const stamp = async () => (await findVersions(config(folder, { kind: 'latest', count: 1 }))).get(10)?.stamp;
  const file = join(folder, '10', 'model.onnx');
  assert.equal(await stamp(), 'absent');
  writeFileSync(file, 'half');
  const half = await stamp();
  assert.equal(await stamp(), half);
  writeFileSync(file, 'whole');
  const whole = await stamp();
  assert.notEqual(whole, half);
  writeFileSync(join(folder, '10', 'model.onnx.data'), 'weights');
  assert.notEqual(await stamp(), whole);
});

test('a missing base path is an error', async () => {
  const found = findVersions(config('/does/not/exist', { kind: 'all' }));
  await assert.rejects(found, {
    code: 'INVALID_ARGUMENT',
    message: /^Could not find base path \/does\/not\/exist for servable m with error/,
  });
});

test('the text for missing versions names them', () => {
  const all = config('/b', { kind: 'all' });
  const specific = config('/b', { kind: 'specific', versions: new Set([1, 2]) });
  assert.equal(missingVersions(all, new Set([1])), undefined);
  assert.match(missingVersions(all, new Set()) ?? '', /^No versions of servable m found under base path \/b/);
  assert.match(missingVersions(specific, new Set([1])) ?? '', /^Version 2 of servable m, which was requested/);
});
