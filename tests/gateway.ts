/** Starts the gateway as its own process, on real ports, with its settings in the environment. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** The image's environment (gateway/Dockerfile), for tests that measure memory. */
export const IMAGE_ENV = {
  NODE_OPTIONS: '--max-semi-space-size=8',
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
};

/** The entry point of the command line. */
export const MAIN = new URL('../gateway/cli/main.ts', import.meta.url).pathname;

export type LogLine = Readonly<Record<string, unknown>>;

/** A running gateway, by its base URL. */
export type Service = { readonly url: string };

export type RunningGateway = Service & {
  readonly adminUrl: string;
  /** Address of the gRPC port, if GRPC_PORT is set. */
  readonly grpcTarget: string;
  readonly process: ChildProcess;
  /** All log lines so far. */
  readonly log: readonly LogLine[];
  /** The log lines of one request. Waits up to 2 s for the first. */
  linesOf(requestId: string | null | undefined): Promise<LogLine[]>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Resolves when /health/ready answers 200; rejects after 30 s with the last answer. */
  ready(): Promise<void>;
  /** Sends the signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/**
 * Starts a gateway on free ports with the given settings. Resolves when it listens. `ulimit`: limits of the
 * process, such as `-n 64`. `flags`: arguments of `serve`. `within`: a command that runs the rest of its arguments in its place.
 */
export async function startGateway(
  settings: Record<string, string> = {},
  ulimit?: string,
  flags: readonly string[] = [],
  within: readonly string[] = [],
): Promise<RunningGateway> {
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', ...settings };
  // SIGXFSZ would end a process that writes more than `ulimit -f`.
  const limited = ulimit === undefined ? [] : ['sh', '-c', `trap '' XFSZ; ulimit ${ulimit} && exec "$0" "$@"`];
  const [command = '', ...args] = [...within, ...limited, process.execPath, MAIN, 'serve', ...flags];
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const log: LogLine[] = [];
  const listening = Promise.withResolvers<LogLine>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    if (line.msg === 'listening') listening.resolve(line);
  });
  const { port, adminPort, grpcPort } = await Promise.race([
    listening.promise,
    exited.then(([code]) => Promise.reject(new Error(`the gateway ended with ${code} before it listened`))),
  ]);
  const url = `http://127.0.0.1:${port}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  return {
    url,
    adminUrl,
    grpcTarget: `127.0.0.1:${grpcPort}`,
    process: child,
    log,
    async linesOf(requestId) {
      const lines = () => log.filter((line) => line.requestId === requestId);
      for (let left = 40; left > 0 && lines().length === 0; left -= 1) await sleep(50);
      return lines();
    },
    metrics: async () => (await fetch(`${adminUrl}/metrics`)).text(),
    ready: () => waitUntilReady(url),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Starts a gateway that is stopped after the test and must then exit with 0. */
export async function startGatewayFor(
  t: TestContext,
  settings: Record<string, string>,
  ulimit?: string,
): Promise<RunningGateway> {
  const gateway = await startGateway(settings, ulimit);
  t.after(async () => assert.equal(await gateway.stop(), 0));
  return gateway;
}

/** Resolves when the gateway at this URL is ready; rejects after 30 s with the last answer. */
export async function waitUntilReady(url: string): Promise<void> {
  const giveUpMs = performance.now() + 30_000;
  let lastAnswer = '';
  while (performance.now() < giveUpMs) {
    const response = await fetch(`${url}/health/ready`).catch(
      (error: Error) => new Response(error.message, { status: 500 }),
    );
    lastAnswer = await response.text();
    if (response.ok) return;
    await sleep(50);
  }
  throw new Error(`not ready after 30 s: ${lastAnswer}`);
}

/** POSTs JSON to /predict. */
export function predict(gateway: Service, body: unknown, query = ''): Promise<Response> {
  return fetch(`${gateway.url}/predict${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** POSTs an encoded image to /predict. */
export function predictImage(
  { url }: Service,
  image: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  query = '',
): Promise<Response> {
  return fetch(`${url}/predict${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg', ...headers },
    body: new Uint8Array(image),
  });
}
