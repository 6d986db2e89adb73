import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { usableCores } from './cores.ts';

const run = promisify(execFile);
const CORES = new URL('cores.ts', import.meta.url);
const PROGRAM = `import { usableCores } from '${CORES}'; console.log(usableCores())`;
const machine = availableParallelism();

/** What a process of its own finds, started by the words in front. */
async function found(...words: string[]): Promise<number> {
  const [command = '', ...args] = [...words, process.execPath, '--input-type=module-typescript', '--eval', PROGRAM];
  return Number((await run(command, args)).stdout);
}

/** A tree of files as cgroup v1 has it: the quota of some groups in microseconds of 100,000, and the process's own group. */
async function cgroups(t: TestContext, own: string, quotas: Readonly<Record<string, number>>) {
  const root = await mkdtemp(path.join(tmpdir(), 'cores-'));
  t.after(() => rm(root, { recursive: true }));
  for (const [group, quota] of Object.entries(quotas)) {
    const folder = path.join(root, group);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'cpu.cfs_quota_us'), `${quota}\n`);
    await writeFile(path.join(folder, 'cpu.cfs_period_us'), '100000\n');
  }
  await writeFile(path.join(root, 'own'), own);
  return { files: root, own: path.join(root, 'own') };
}

const CASES: [why: string, own: string, quotas: Record<string, number>, cores: number][] = [
  ['no cgroup v1', '0::/\n', {}, machine],
  ['no limit', '4:cpu,cpuacct:/\n', { '/': -1 }, machine],
  ['one core', '5:cpuset:/x\n4:cpu,cpuacct:/\n', { '/': 100_000 }, 1],
  ['one and a half', '4:cpu,cpuacct:/\n', { '/': 150_000 }, 1],
  ['a tenth', '4:cpuacct,cpu:/\n', { '/': 10_000 }, 1],
  ['more than there are', '4:cpu:/\n', { '/': 100_000 * (machine + 1) }, machine],
  ['a container, which sees its group as the topmost', '4:cpu,cpuacct:/docker/0f\n', { '/': 100_000 }, 1],
  ['a group within a limited one', '4:cpu,cpuacct:/a/b\n', { '/': -1, a: 100_000, 'a/b': -1 }, 1],
  ['a limited group', '4:cpu,cpuacct:/a/b\n', { '/': -1, a: -1, 'a/b': 199_000 }, 1],
];

for (const [why, own, quotas, cores] of CASES) {
  test(`the cores by cgroup v1: ${why}`, async (t) => {
    assert.equal(usableCores(await cgroups(t, own, quotas)), cores);
  });
}

test('the affinity mask counts', { skip: process.platform !== 'linux' && 'Linux alone has taskset' }, async () => {
  assert.equal(await found('taskset', '--cpu-list', '0'), 1);
});

/** A group of a cgroup hierarchy of this machine: where it lies, and the file and text of a limit of one and a half cores. */
const HIERARCHIES: [name: string, folder: string, file: string, limit: string][] = [
  ['v1', '/sys/fs/cgroup/cpu', 'cpu.cfs_quota_us', '150000'],
  ['v2', '/sys/fs/cgroup', 'cpu.max', '150000 100000'],
];

for (const [name, root, file, limit] of HIERARCHIES) {
  test(`a real limit of one and a half cores, by cgroup ${name}`, async (t) => {
    const group = path.join(root, `tensorgate-test-${randomUUID()}`);
    try {
      mkdirSync(group);
    } catch (error) {
      return t.skip(`no cgroup ${name} can be made here: ${error}`);
    }
    t.after(() => rmdirSync(group));
    try {
      accessSync(path.join(group, file), constants.W_OK);
    } catch (error) {
      return t.skip(`no CPU limit can be set in a cgroup ${name} here: ${error}`);
    }
    writeFileSync(path.join(group, file), limit);
    assert.equal(await found('sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'), 1);
  });
}
