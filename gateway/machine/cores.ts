/** The number of CPU cores this process may use. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

/** Where cgroup v1 keeps its CPU files, and the file that names this process's cgroups. */
const CGROUP_V1 = { files: '/sys/fs/cgroup/cpu', own: '/proc/self/cgroup' };

/**
 * The cores this process may use: limited by its affinity mask and its container's CPU limit, rounded down, at least 1.
 * Node reads the mask and the limit of cgroup v2, but not the limit of cgroup v1.
 */
export function usableCores(v1 = CGROUP_V1): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cgroupV1Cores(v1))));
}

/** The smallest limit of the process's cgroup and its parents. A container sees its own cgroup as the root. */
function cgroupV1Cores({ files, own }: typeof CGROUP_V1): number {
  const [, group = '/'] = /^\d+:(?:[^:]+,)?cpu(?:,[^:]+)?:(.*)$/m.exec(read(own)) ?? [];
  const names = group.split('/');
  return Math.min(...names.map((_, index) => limitOf(path.join(files, ...names.slice(0, names.length - index)))));
}

/** Quota divided by period (kernel.org, scheduler/sched-bwc). A quota of -1 means no limit. */
function limitOf(folder: string): number {
  const [quota, period] = ['quota', 'period'].map((name) => Number(read(path.join(folder, `cpu.cfs_${name}_us`))));
  return quota && period && quota > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
