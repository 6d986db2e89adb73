/** What the benchmarks share: starting programs that tell their port, and asking them as fast as they answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';

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

/** Ends what was started. */
export function stopAll(): void {
  for (const child of children) child.kill();
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedMs = performance.now();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  request(`${url}/predict`, { method: 'POST', agent, headers }, (response) => {
    if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
    response.resume().on('end', () => resolve(performance.now() - startedMs));
  })
    .on('error', reject)
    .end(body);
  return promise;
}

/** Sends `count` requests, `concurrency` at a time, and resolves to their latencies in ms, in order of length. */
export async function load(url: string, body: string, count: number, concurrency: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  let sent = 0;
  const work = async () => {
    while (sent < count) {
      sent += 1;
      latencies.push(await post(agent, url, body));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  agent.destroy();
  return latencies.sort((one, other) => one - other);
}

/** Linux counts a process's CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

/** The CPU time of a process so far, all threads, and of the children that it has now. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const theirs = await Promise.all((children.match(/\d+/g) ?? []).map((child) => cpuMsOf(Number(child))));
  return theirs.reduce((sum, ms) => sum + ms, (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK);
}

export const median = (values: number[]) => values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
