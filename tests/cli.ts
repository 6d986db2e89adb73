/** Runs `tensorgate` as a person does: its own process, arguments, stdout, stderr and an exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../gateway/cli/main.ts', import.meta.url));

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** The user that it runs as, for root. */
  readonly uid?: number;
  /** Loaded before the program. */
  readonly preload?: string;
};
export type CliEnding = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs it to its end. */
export async function runCli(args: readonly string[], { env, uid, preload }: CliOptions = {}): Promise<CliEnding> {
  const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), MAIN, ...args], {
    env: { ...process.env, TF_SERVING_HOST: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
