/** Runs the embedded model server as a child process: starts it, restarts it with backoff, stops it on close. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Log } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';
import { type EmbeddedModel, embeddedConfig } from './embedded-models.ts';

const PROGRAM = fileURLToPath(new URL('../../serving/embedded/main.ts', import.meta.url));
/** The server's exit code if ONNX Runtime is not installed. */
const EXIT_NOT_INSTALLED = 78;

/** The server's folder in the temporary folder, and its files; embedded-servers.ts looks for them. */
export const FOLDER_PREFIX = 'tensorgate-';
export const SOCKET_FILE = 'embedded.sock';
export const CONFIG_FILE = 'models.config';

const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 8000;
/** After a run of this length the backoff starts again at MIN_PAUSE_MS. */
const STABLE_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5000;

export type EmbeddedOptions = {
  readonly models: readonly EmbeddedModel[];
  /** Cores for the computation of one model. */
  readonly cores: number;
  /** The server's environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly log: Log;
};

/** `waiting`: the pause before a restart. `failed`: the server cannot run here and is not restarted. */
export type EmbeddedState = 'starting' | 'ready' | 'waiting' | 'failed' | 'closed';

export type Embedded = {
  /** The server's gRPC address; the same after each restart. */
  readonly target: string;
  /**
   * Resolves when each model has loaded, failed to load, or has no version. Rejects if the server cannot run here or is
   * closed before.
   */
  readonly ready: Promise<void>;
  /** Resolves at the end of the first run's start: the server is ready, or has exited and is restarted. */
  readonly firstStart: Promise<void>;
  readonly state: EmbeddedState;
  /** Replaces the models to serve. The server applies the change within a second or two. */
  serve(models: readonly EmbeddedModel[]): void;
  /** Lets calls in flight finish (5 s at most), stops the server and removes its files. */
  close(): Promise<void>;
};

/** Whether this installation has the server. A container image of the gateway alone does not. */
export function hasEmbedded(): boolean {
  return existsSync(PROGRAM);
}

/** Starts the server on a UNIX socket in a folder that only this user can access. Returns at once; see `ready`. */
export function startEmbedded({ models, cores, env, log }: EmbeddedOptions): Embedded {
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  const socket = join(folder, SOCKET_FILE);
  const config = createConfigFile(join(folder, CONFIG_FILE));
  config.write(models);
  const supervisor = new Supervisor(
    [
      '--port=0',
      `--grpc_socket_path=${socket}`,
      `--model_config_file=${config.path}`,
      '--model_config_file_poll_wait_seconds=1',
      '--allow_version_labels_for_unavailable_models',
      `--tensorflow_intra_op_parallelism=${cores}`,
    ],
    env,
    log,
  );
  return {
    target: `unix:${socket}`,
    ready: supervisor.ready,
    firstStart: supervisor.firstStart,
    serve: config.write,
    get state() {
      return supervisor.state;
    },
    async close() {
      await supervisor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The file that lists the models. It is replaced atomically, and only when the list changes. */
function createConfigFile(path: string) {
  let written: string | undefined;
  return {
    path,
    write(models: readonly EmbeddedModel[]): void {
      const text = embeddedConfig(models);
      if (text === written) return;
      writeFileSync(`${path}~`, text);
      renameSync(`${path}~`, path);
      written = text;
    },
  };
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly err?: unknown };

class Supervisor {
  readonly ready: Promise<void>;
  readonly firstStart: Promise<void>;
  state: EmbeddedState = 'starting';
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv | undefined;
  readonly #log: Log;
  readonly #ready = Promise.withResolvers<void>();
  readonly #firstStart = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #child: ChildProcess | undefined;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv | undefined, log: Log) {
    this.#args = args;
    this.#env = env;
    this.#log = log;
    this.ready = this.#ready.promise;
    // No unhandled rejection if the caller does not await `ready`; `state` and the log have the failure too.
    this.ready.catch(() => undefined);
    this.firstStart = this.#firstStart.promise;
    this.#ended = this.#keepRunning();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const child = this.#child;
    child?.kill('SIGTERM');
    const kill = setTimeout(() => child?.kill('SIGKILL'), GRACE_MS);
    await this.#ended;
    clearTimeout(kill);
    this.state = 'closed';
    this.#ready.reject(new GatewayError('draining', 'The gateway is shutting down.'));
  }

  async #keepRunning(): Promise<void> {
    let pauseMs = MIN_PAUSE_MS;
    while (!this.#closing.signal.aborted) {
      const startedMs = performance.now();
      const exit = await this.#runOnce();
      this.#firstStart.resolve();
      if (this.#closing.signal.aborted) return;
      if (exit.code === EXIT_NOT_INSTALLED) return this.#giveUp();
      if (performance.now() - startedMs >= STABLE_MS) pauseMs = MIN_PAUSE_MS;
      this.state = 'waiting';
      this.#log.error({ ...exit, pauseMs }, 'the embedded model server exited; restarting it');
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  #giveUp(): void {
    this.state = 'failed';
    const text = 'This installation has no embedded model server: set TF_SERVING_HOST.';
    this.#log.error({}, text);
    this.#ready.reject(new GatewayError('model_unavailable', text));
  }

  /** Starts the server once and waits for its end. */
  async #runOnce(): Promise<Exit> {
    this.state = 'starting';
    // Detached: a Ctrl-C in the terminal signals only the gateway, which drains first.
    // IPC: the server exits when the channel closes, so it does not outlive the gateway.
    const child = spawn(process.execPath, [PROGRAM, ...this.#args], {
      detached: true,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#pipeLines(child);
    child.on('message', () => {
      this.state = 'ready';
      this.#ready.resolve();
      this.#firstStart.resolve();
    });
    return exitOf(child);
  }

  #pipeLines({ pid, stdout, stderr }: ChildProcess): void {
    // Undefined, against the types, where no descriptor was left for a pipe.
    if (!stdout || !stderr) return;
    createInterface(stdout).on('line', (line) => this.#log.info({ pid }, line));
    createInterface(stderr).on('line', (line) => this.#log.warn({ pid }, line));
  }
}

/** How a child exited; `err` if it could not be started. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch (err) {
    return { code: null, signal: null, err };
  }
}
