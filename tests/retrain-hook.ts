/** Starts `tensorgate retrain-hook` as a process, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../gateway/cli/main.ts', import.meta.url));

/** A line of the log. */
export type LogLine = { readonly msg: string } & Readonly<Record<string, unknown>>;

export type RunningHook = {
  readonly url: string;
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  /** The next line, or one that is there, for which this holds. */
  until(holds: (line: LogLine) => boolean): Promise<LogLine>;
};

/** Starts the hook on a free port, and kills it at the end of the test. `onLine` gets each line when it comes. */
export async function startRetrainHook(
  t: TestContext,
  args: readonly string[],
  onLine: (line: LogLine) => void = () => undefined,
): Promise<RunningHook> {
  const child = spawn(process.execPath, [MAIN, 'retrain-hook', '--port=0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  const input = createInterface({ input: child.stdout });
  input.on('line', (line) => {
    const parsed = JSON.parse(line) as LogLine;
    lines.push(parsed);
    onLine(parsed);
    wake();
  });
  input.once('close', wake);
  const until = (holds: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve, reject) => {
      const check = () => {
        const found = lines.find(holds);
        if (found) resolve(found);
        else if (child.exitCode !== null) reject(new Error(`the hook ended: ${JSON.stringify(lines)}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  const started = await Promise.race([until(({ msg }) => msg === 'listening for alerts'), once(child, 'exit')]);
  if (Array.isArray(started)) throw new Error(`the hook ended with exit code ${started[0]}`);
  return { url: `http://127.0.0.1:${started.port}`, child, lines, until };
}
