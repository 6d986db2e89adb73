/** Starts the embedded model server as a child process, keeps it running, and ends it with the gateway. */

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
/** The server's exit code for: ONNX Runtime is not installed. */
const EXIT_NOT_INSTALLED = 78;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8000;
/** A server that ran this long had nothing wrong with it: the next pause is the first one again. */
const STABLE_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5000;

export type EmbeddedOptions = {
  /** Each base path holds the versions: VERSION/model.onnx. */
  readonly models: readonly { readonly name: string; readonly basePath: string }[];
  /** Cores that a model computes on. */
  readonly cores: number;
  /** The server's environment; this process's where none is given. */
  readonly env?: NodeJS.ProcessEnv;
  readonly log: Log;
};

/** `waiting`: the pause before the next start. `failed`: cannot run here, so it is not tried again. */
export type EmbeddedState = 'starting' | 'ready' | 'waiting' | 'failed' | 'closed';

export type Embedded = {
  /** Where the server listens, for gRPC; the same over all restarts. */
  readonly target: string;
  /** Resolves when every model has a version available; rejects when it cannot run here or is closed before. */
  readonly ready: Promise<void>;
  readonly state: EmbeddedState;
  /** Lets calls in flight finish (5 s at most), ends the server and removes its files. */
  close(): Promise<void>;
};

/** Whether this installation has the server: an image of the gateway alone does not. */
export function hasEmbedded(): boolean {
  return existsSync(PROGRAM);
}

/** Starts the server on a UNIX socket in a folder that only this user can read. Returns at once; see `ready`. */
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

/** TF-Serving's ModelServerConfig in protobuf's text format, whose strings JSON's are. */
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
    // Whoever does not wait for `ready` reads `state` and the log.
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
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#closing.signal.aborted) {
      const startedMs = performance.now();
      const exit = await this.#runOnce();
      if (this.#closing.signal.aborted) return;
      if (exit.code === EXIT_NOT_INSTALLED) return this.#giveUp();
      if (performance.now() - startedMs >= STABLE_MS) pauseMs = FIRST_PAUSE_MS;
      this.state = 'waiting';
      this.#log.error({ ...exit, pauseMs }, 'the embedded model server ended; starting it again');
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  #giveUp(): void {
    this.state = 'failed';
    const text = 'There is no embedded model server in this installation: set TF_SERVING_HOST.';
    this.#log.error({}, text);
    this.#ready.reject(new GatewayError('model_unavailable', text));
  }

  /** One life of the server. */
  async #runOnce(): Promise<Exit> {
    this.state = 'starting';
    // Detached: a Ctrl-C in the terminal is for the gateway alone, which drains first. IPC: it ends when the gateway is gone.
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

/** How a child ended; one that could not be started at all has an error instead. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch (err) {
    return { code: null, signal: null, err };
  }
}
