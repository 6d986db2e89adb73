/** How many cores there are to keep busy. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/** Where cgroup v1 has its files for the CPU, and where it says which of them are this process's. */
const CGROUP_V1 = { files: '/sys/fs/cgroup/cpu', own: '/proc/self/cgroup' };

/**
 * The cores that this process may use: those of its affinity mask and its container's CPU limit, a part of a core left out,
 * at least one. Node knows the mask and cgroup v2; it does not find the limit of cgroup v1.
 */
export function usableCores(v1 = CGROUP_V1): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cgroupV1Cores(v1))));
}

/** The smallest limit from the process's group up; a container sees its own group as the topmost. */
function cgroupV1Cores({ files, own }: typeof CGROUP_V1): number {
  const [, group = '/'] = /^\d+:(?:[^:]+,)?cpu(?:,[^:]+)?:(.*)$/m.exec(read(own)) ?? [];
  const names = group.split('/');
  return Math.min(...names.map((_, index) => limitOf(path.join(files, ...names.slice(0, names.length - index)))));
}

/** Its quota by period (kernel.org, scheduler/sched-bwc); a quota of -1 is none. */
function limitOf(folder: string): number {
  const [quota, period] = ['quota', 'period'].map((name) => Number(read(path.join(folder, `cpu.cfs_${name}_us`))));
  return quota && period && quota > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
