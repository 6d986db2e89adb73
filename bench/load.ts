/** What the benchmarks share: starting programs that tell their port, and asking them as fast as they answer. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const children: ChildProcess[] = [];

/** Starts a program and resolves with the first JSON line in which it tells its port, or ports. */
export async function start(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { port, adminPort = 0 } = JSON.parse(line) as { port?: number; adminPort?: number };
    if (port === undefined) continue;
    child.stdout.resume();
    return { port, adminPort, pid: child.pid ?? 0 };
  }
  throw new Error(`${command} ended before it told its port`);
}

/** The cores of this machine but for the last, as taskset has them; undefined where there is only one. */
const cores = availableParallelism();
const allButLast = cores > 1 ? `0-${cores - 2}` : undefined;

/**
 * Puts this process, and what it starts from now on, on the machine's last core, so that the load costs what is measured
 * nothing. Resolves to the words before a command that put it on the other cores; none where there is one core for all.
 */
export async function moveAside(): Promise<readonly string[]> {
  if (allButLast === undefined) return [];
  await promisify(execFile)('taskset', ['--cpu-list', '--pid', String(cores - 1), String(process.pid)]);
  return ['taskset', '--cpu-list', allButLast];
}

/** Ends what was started. */
export function stopAll(): void {
  for (const child of children) child.kill();
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedMs = performance.now();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  request(url, { method: 'POST', agent, headers }, (response) => {
    if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
    response.resume().on('end', () => resolve(performance.now() - startedMs));
  })
    .on('error', reject)
    .end(body);
  return promise;
}

/**
 * Sends `count` requests, bodies and paths in turn, `concurrency` at a time; resolves to the latencies in ms, in order of
 * length.
 */
export async function load(
  url: string,
  bodies: readonly string[],
  count: number,
  concurrency: number,
  paths: readonly string[] = ['/predict'],
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  let sent = 0;
  const work = async () => {
    while (sent < count) {
      const target = `${url}${paths[sent % paths.length]}`;
      const body = bodies[sent % bodies.length] ?? '';
      sent += 1;
      latencies.push(await post(agent, target, body));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  agent.destroy();
  return latencies.sort((one, other) => one - other);
}

/** Linux counts a process's CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

export type Process = { readonly cpuMs: number; readonly rssMb: number };

/** A process and its children: the CPU time of all threads so far, and the most memory that each had. */
export async function treeOf(pid: number): Promise<Process[]> {
  const [stat, status, children] = await Promise.all(
    ['stat', 'status', `task/${pid}/children`].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  const rssMb = (Number(/VmHWM:\s+(\d+)/.exec(status ?? '')?.[1]) * 1024) / 1e6;
  const theirs = await Promise.all((children?.match(/\d+/g) ?? []).map((child) => treeOf(Number(child))));
  return [{ cpuMs, rssMb }, ...theirs.flat()];
}

/** The CPU time of a process and its children so far. */
export async function cpuMsOf(pid: number): Promise<number> {
  return (await treeOf(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

export const median = (values: number[]) => values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
