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

/** The cores that a new process finds, started by the given command, such as taskset. */
async function coresOf(...launcher: string[]): Promise<number> {
  const [command = '', ...args] = [...launcher, process.execPath, '--input-type=module-typescript', '--eval', PROGRAM];
  return Number((await run(command, args)).stdout);
}

/** A file tree like cgroup v1's: the quotas of some groups in microseconds per 100,000, and the process's own group. */
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
  ['more than the machine has', '4:cpu:/\n', { '/': 100_000 * (machine + 1) }, machine],
  ['a container, which sees its group as the root', '4:cpu,cpuacct:/docker/0f\n', { '/': 100_000 }, 1],
  ['a group within a limited one', '4:cpu,cpuacct:/a/b\n', { '/': -1, a: 100_000, 'a/b': -1 }, 1],
  ['a limited group', '4:cpu,cpuacct:/a/b\n', { '/': -1, a: -1, 'a/b': 199_000 }, 1],
];

for (const [why, own, quotas, cores] of CASES) {
  test(`the cores by cgroup v1: ${why}`, async (t) => {
    assert.equal(usableCores(await cgroups(t, own, quotas)), cores);
  });
}

test('the affinity mask limits the cores', {
  skip: process.platform !== 'linux' && 'taskset exists on Linux only',
}, async () => {
  assert.equal(await coresOf('taskset', '--cpu-list', '0'), 1);
});

/** The cgroup hierarchies of this machine: folder, and the file and text of a limit of 1.5 cores. */
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
      return t.skip(`cannot create a cgroup ${name} here: ${error}`);
    }
    t.after(() => rmdirSync(group));
    try {
      accessSync(path.join(group, file), constants.W_OK);
    } catch (error) {
      return t.skip(`cannot set a CPU limit in a cgroup ${name} here: ${error}`);
    }
    writeFileSync(path.join(group, file), limit);
    assert.equal(await coresOf('sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'), 1);
  });
}
