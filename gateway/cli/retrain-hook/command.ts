/** Runs the command for alerts in a new process group, and logs its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { childEnvironment } from '../../config/read.ts';
import { type Alert, messageOf, nameOf } from './message.ts';

/** How a run ended. `stopped`: this process was told to stop, or the time of the run was over. */
export const RUN_OUTCOMES = ['succeeded', 'failed', 'stopped'] as const;
export type RunResult = {
  readonly outcome: (typeof RUN_OUTCOMES)[number];
  /** Null where the command did not start, or a signal ended it. */
  readonly exitCode: number | null;
};

export type CommandOptions = {
  readonly command: readonly string[];
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly log: Logger;
  /** Stops the command. */
  readonly signal: AbortSignal;
};

/** How often it is checked whether the processes of a stopped command have ended. */
const POLL_MS = 100;

/** How long output may come after the end of the command, from processes that it has left. */
const OUTPUT_MS = 2000;

/** Runs the command with the alerts in its environment and in a file. Throws nothing: what fails is the result. */
export async function runCommand(alerts: readonly Alert[], options: CommandOptions): Promise<RunResult> {
  const { log } = options;
  let folder: string | undefined;
  try {
    folder = await mkdtemp(path.join(tmpdir(), 'tensorgate-alerts-'));
    const file = path.join(folder, 'alerts.json');
    await writeFile(file, JSON.stringify(messageOf(alerts)));
    return await runToEnd({ ALERTS_FILE: file, ...variablesOf(alerts[0]) }, options);
  } catch (cause) {
    log.error({ cause }, 'the command did not start');
    return { outcome: 'failed', exitCode: null };
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** The first alert as variables, for commands that do not read the file. */
function variablesOf(alert: Alert | undefined): Record<string, string> {
  if (!alert) return {};
  const { model = '', version = '', feature = '' } = alert.labels;
  return {
    ALERT_NAME: nameOf(alert),
    ALERT_MODEL: model,
    ALERT_VERSION: version,
    ALERT_FEATURE: feature,
    ALERT_STARTS_AT: alert.startsAt,
  };
}

async function runToEnd(variables: Record<string, string>, options: CommandOptions): Promise<RunResult> {
  const { log, signal, graceMs, command } = options;
  const [program = '', ...args] = command;
  if (signal.aborted) return { outcome: 'stopped', exitCode: null };
  // A signal to the group also reaches the processes that the command starts.
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...childEnvironment(), ...variables },
  });
  const closed = once(child, 'close');
  closed.catch(() => undefined); // of a command that does not start: `exit` tells it
  logLines(child.stdout, (line) => log.info({ stream: 'stdout' }, line));
  logLines(child.stderr, (line) => log.info({ stream: 'stderr' }, line));
  const ending = once(signal, 'abort').then(() => endGroup(child, graceMs));
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  if (signal.aborted) await ending;
  await Promise.race([closed, sleep(OUTPUT_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  if (signal.aborted) return { outcome: 'stopped', exitCode };
  return { outcome: exitCode === 0 ? 'succeeded' : 'failed', exitCode };
}

function logLines(input: Readable, write: (line: string) => void): void {
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    if (line !== '') write(line);
  });
}

/** SIGTERM to all processes of the group, and SIGKILL to those that are left after the grace. */
async function endGroup({ pid }: ChildProcess, graceMs: number): Promise<void> {
  if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
  const untilMs = performance.now() + graceMs;
  while (performance.now() < untilMs) {
    if (!signalGroup(pid, 0)) return;
    await sleep(POLL_MS);
  }
  signalGroup(pid, 'SIGKILL');
}

/** False if the group has no process left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw thrown;
  }
}
