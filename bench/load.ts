/** Shared by the benchmarks: starting programs that print their port, closed-loop load, CPU and memory of processes. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const children: ChildProcess[] = [];

/** Starts a program. Resolves with the ports from the first JSON line on stdout that has a `port`. */
export async function start(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { port, adminPort = 0 } = JSON.parse(line) as { port?: number; adminPort?: number };
    if (port === undefined) continue;
    child.stdout.resume();
    return { port, adminPort, pid: child.pid ?? 0 };
  }
  throw new Error(`${command} exited before it printed its port`);
}

/** All cores except the last, as a taskset list. Undefined if there is only one core. */
const cores = availableParallelism();
const allButLast = cores > 1 ? `0-${cores - 2}` : undefined;

/**
 * Pins this process and its future children to the machine's last core, so that the load generator takes no CPU from
 * the measured program. Resolves to a command prefix that pins a program to the other cores; empty if there is only
 * one core.
 */
export async function moveAside(): Promise<readonly string[]> {
  if (allButLast === undefined) return [];
  await promisify(execFile)('taskset', ['--cpu-list', '--pid', String(cores - 1), String(process.pid)]);
  return ['taskset', '--cpu-list', allButLast];
}

type Headers = Readonly<Record<string, string>>;

/** Sends SIGTERM to every program that `start` started. */
export function stopAll(): void {
  for (const child of children) child.kill();
}

/** `body`: text in ASCII, or bytes. */
function post(agent: Agent, url: string, body: string | Buffer, more: Headers): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedMs = performance.now();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, ...more };
  request(url, { method: 'POST', agent, headers }, (response) => {
    if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
    response.resume().on('end', () => resolve(performance.now() - startedMs));
  })
    .on('error', reject)
    .end(body);
  return promise;
}

/**
 * Sends `count` requests, `concurrency` at a time, cycling through the bodies and paths. Resolves to the latencies in
 * ms, in ascending order. Rejects if any answer is not 200.
 */
export async function load(
  url: string,
  bodies: readonly (string | Buffer)[],
  count: number,
  concurrency: number,
  paths: readonly string[] = ['/predict'],
  headers: Headers = {},
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  let sent = 0;
  const work = async () => {
    while (sent < count) {
      const target = `${url}${paths[sent % paths.length]}`;
      const body = bodies[sent % bodies.length] ?? '';
      sent += 1;
      latencies.push(await post(agent, target, body, headers));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  agent.destroy();
  return latencies.sort((one, other) => one - other);
}

/** Linux reports CPU time in clock ticks of 10 ms. */
const MS_PER_TICK = 10;

export type Process = { readonly cpuMs: number; readonly rssMb: number };

/** A process and its descendants: the CPU time of all threads so far, and the peak resident memory of each. */
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

/** The CPU time of a process and its descendants so far, in ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  return (await treeOf(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** The metric starts anew at each scrape, and includes its own sampling interval. */
const LOOP_SAMPLE_MS = 50;

/** The 99th percentile of a gateway's event loop delay since the last call, in ms. NaN for a program without metrics, and without a sample since. */
export async function loopP99Ms(adminPort: number): Promise<number> {
  if (adminPort === 0) return Number.NaN;
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(text)?.[1]);
  return seconds === 0 ? Number.NaN : seconds * 1000 - LOOP_SAMPLE_MS;
}

export const median = (values: number[]) => values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
