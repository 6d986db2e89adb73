/** Starts the gateway as a person does: its own process, real ports, settings by environment. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** The image's environment (gateway/Dockerfile), for tests that measure memory. */
export const IMAGE_ENV = { NODE_OPTIONS: '--max-semi-space-size=8', MALLOC_ARENA_MAX: '2' };

/** The command line. */
export const MAIN = new URL('../gateway/cli/main.ts', import.meta.url).pathname;

export type LogLine = Readonly<Record<string, unknown>>;

/** Where a gateway answers. */
export type Service = { readonly url: string };

export type RunningGateway = Service & {
  readonly adminUrl: string;
  readonly process: ChildProcess;
  /** Every line of the log so far. */
  readonly log: readonly LogLine[];
  /** The lines of one request, once there is one; 2 s at most. */
  linesOf(requestId: string | null | undefined): Promise<LogLine[]>;
  /** Resolves when `/health/ready` answers 200; rejects after 30 s with what it said last. */
  ready(): Promise<void>;
  /** Sends the signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Starts a gateway on free ports with the given settings, and resolves once it listens. */
export async function startGateway(settings: Record<string, string> = {}): Promise<RunningGateway> {
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', ...settings };
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const log: LogLine[] = [];
  const listening = Promise.withResolvers<LogLine>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    if (line.msg === 'listening') listening.resolve(line);
  });
  const { port, adminPort } = await Promise.race([
    listening.promise,
    exited.then(([code]) => Promise.reject(new Error(`the gateway ended with ${code} before it listened`))),
  ]);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    process: child,
    log,
    async linesOf(requestId) {
      const lines = () => log.filter((line) => line.requestId === requestId);
      for (let left = 40; left > 0 && lines().length === 0; left -= 1) await sleep(50);
      return lines();
    },
    ready: () => waitUntilReady(url),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Starts a gateway that the test stops at its end, where it has to exit with 0. */
export async function startGatewayFor(t: TestContext, settings: Record<string, string>): Promise<RunningGateway> {
  const gateway = await startGateway(settings);
  t.after(async () => assert.equal(await gateway.stop(), 0));
  return gateway;
}

/** Resolves when a gateway, started by whomever, is ready; rejects after 30 s with what it said last. */
export async function waitUntilReady(url: string): Promise<void> {
  const giveUpMs = performance.now() + 30_000;
  let said = '';
  while (performance.now() < giveUpMs) {
    const response = await fetch(`${url}/health/ready`).catch(
      (error: Error) => new Response(error.message, { status: 500 }),
    );
    said = await response.text();
    if (response.ok) return;
    await sleep(50);
  }
  throw new Error(`not ready after 30 s: ${said}`);
}

/** POSTs JSON to /predict. */
export function predict(gateway: Service, body: unknown, query = ''): Promise<Response> {
  return fetch(`${gateway.url}/predict${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
