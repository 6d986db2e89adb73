/**
 * `make dev`: runs the gateway, restarts it when one of its files changes, and prints its log in a readable form.
 *
 * Node's own --watch misses changes on Linux: it watches files, and editors that save by rename replace the file. This
 * watches folders.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, watch } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pretty from 'pino-pretty';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const MAIN = path.join(ROOT, 'gateway/cli/main.ts');
const CODE = ['gateway', 'serving/embedded', 'protos'].map((folder) => path.join(ROOT, folder));
const MODELS = path.resolve(process.env.MODELS || path.join(ROOT, 'serving/models'));
const CODE_FILE = /(?<!\.test)\.ts$|\.(proto|wasm)$/;
/** Time without further changes before a restart: one save, or one checkout, changes several files. */
const QUIET_MS = 100;

type Change = { readonly file: Promise<string>; close(): void };

const log = pretty({
  translateTime: 'SYS:HH:MM:ss.l',
  singleLine: true,
  errorLikeObjectKeys: ['err', 'cause'],
  destination: process.stdout,
});
const stopped = Promise.withResolvers<void>();
let gateway: ChildProcess | undefined;
let isStopping = false;

// The first signal drains the gateway, a second one ends it at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    isStopping = true;
    stopped.resolve();
    gateway?.kill('SIGTERM');
  });
}
while (!isStopping) process.exitCode = await runUntilChange();

/** Runs the gateway until a file changes or a signal stops it. Resolves to its exit code when it has ended. */
async function runUntilChange(): Promise<number> {
  const change = watchForChange();
  gateway = start();
  const exited = once(gateway, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const file = await Promise.race([change.file, exited.then(() => undefined)]);
  if (file !== undefined && !isStopping) {
    say(`${file} changed: restarting`);
    gateway.kill('SIGTERM');
  }
  const [code, signal] = await exited;
  gateway = undefined;
  if (file === undefined && !isStopping) {
    say(`the gateway ended with ${signal ?? `exit code ${code}`}; waiting for a change`);
    await Promise.race([change.file, stopped.promise]);
  }
  change.close();
  return code ?? 1;
}

/** Starts the gateway in its own process group, so Ctrl-C in a terminal sends it one signal instead of two. */
function start(): ChildProcess {
  const args = [MAIN, 'serve', ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.pipe(log, { end: false });
  return child;
}

/** Watches the code and every model.yaml. `file` resolves to the first file that changed, once changes have ended. */
function watchForChange(): Change {
  const { promise, resolve } = Promise.withResolvers<string>();
  const closing = new AbortController();
  let first: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const watchFolder = (folder: string, isWatched: (name: string) => boolean) =>
    watch(folder, { signal: closing.signal }, (_event, name) => {
      if (name === null || !isWatched(name)) return;
      first ??= path.relative('', path.join(folder, name));
      clearTimeout(timer);
      timer = setTimeout(resolve, QUIET_MS, first);
    });
  for (const folder of CODE.flatMap((root) => [root, ...foldersIn(root, { recursive: true })])) {
    watchFolder(folder, (name) => CODE_FILE.test(name));
  }
  for (const folder of foldersIn(MODELS)) watchFolder(folder, (name) => name === 'model.yaml');
  return {
    file: promise,
    close() {
      clearTimeout(timer);
      closing.abort();
    },
  };
}

function foldersIn(root: string, { recursive = false } = {}): string[] {
  const entries = readdirSync(root, { recursive, withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => path.join(parentPath, name));
}

function say(text: string): void {
  process.stderr.write(`dev: ${text}\n`);
}
