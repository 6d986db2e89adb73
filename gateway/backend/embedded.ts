/** Runs the embedded model server as a child process: starts it, restarts it with backoff, stops it on close. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Log } from '../domain/request.ts';
import { GatewayError } from '../errors.ts';

const PROGRAM = fileURLToPath(new URL('../../serving/embedded/main.ts', import.meta.url));
/** The server's exit code if ONNX Runtime is not installed. */
const EXIT_NOT_INSTALLED = 78;

const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 8000;
/** After a run of this length the backoff starts again at MIN_PAUSE_MS. */
const STABLE_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5000;

export type EmbeddedOptions = {
  /** Each base path has the versions in VERSION/model.onnx. */
  readonly models: readonly { readonly name: string; readonly basePath: string }[];
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
  /** Resolves when every model has an available version; rejects if the server cannot run here or is closed before. */
  readonly ready: Promise<void>;
  readonly state: EmbeddedState;
  /** Lets calls in flight finish (5 s at most), stops the server and removes its files. */
  close(): Promise<void>;
};

/** Whether this installation has the server. A container image of the gateway alone does not. */
export function hasEmbedded(): boolean {
  return existsSync(PROGRAM);
}

/** Starts the server on a UNIX socket in a folder that only this user can access. Returns at once; see `ready`. */
export function startEmbedded({ models, cores, env, log }: EmbeddedOptions): Embedded {
  const folder = mkdtempSync(join(tmpdir(), 'tensorgate-'));
  const socket = join(folder, 'embedded.sock');
  const configFile = join(folder, 'models.config');
  writeFileSync(configFile, modelConfigText(models));
  const supervisor = new Supervisor(
    [
      '--port=0',
      `--grpc_socket_path=${socket}`,
      `--model_config_file=${configFile}`,
      `--tensorflow_intra_op_parallelism=${cores}`,
    ],
    env,
    log,
  );
  return {
    target: `unix:${socket}`,
    ready: supervisor.ready,
    get state() {
      return supervisor.state;
    },
    async close() {
      await supervisor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** TF-Serving's ModelServerConfig in protobuf's text format, which takes JSON's string literals. */
function modelConfigText(models: EmbeddedOptions['models']): string {
  const configs = models.map(
    ({ name, basePath }) =>
      `  config { name: ${JSON.stringify(name)} base_path: ${JSON.stringify(resolve(basePath))} model_platform: "tensorflow" }\n`,
  );
  return `model_config_list {\n${configs.join('')}}\n`;
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly err?: unknown };

class Supervisor {
  readonly ready: Promise<void>;
  state: EmbeddedState = 'starting';
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv | undefined;
  readonly #log: Log;
  readonly #ready = Promise.withResolvers<void>();
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
    });
    return exitOf(child);
  }

  #pipeLines({ pid, stdout, stderr }: ChildProcess): void {
    if (stdout === null || stderr === null) return;
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
