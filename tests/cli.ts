/** Runs `tensorgate` as a separate process. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../gateway/cli/main.ts', import.meta.url));

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user; only root can. */
  readonly uid?: number;
  /** A module to load before the program. */
  readonly preload?: string;
  /** The program to run; by default that of this checkout. */
  readonly program?: string;
};
export type CliResult = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Why this user cannot run it: the folder of Node or of the checkout may be closed to others, as /root is. */
export function refusalAs(uid: number): string | undefined {
  const read = `require('node:fs').accessSync(${JSON.stringify(MAIN)})`;
  const { status } = spawnSync(process.execPath, ['-e', read], { cwd: '/', uid, gid: uid });
  return status === 0 ? undefined : `user ${uid} may not enter the folder of Node or of the checkout`;
}

/** Runs it until it exits. */
export async function runCli(
  args: readonly string[],
  { env, uid, preload, program = MAIN }: CliOptions = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), program, ...args], {
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
