/** A gateway for one command: a child process, which ends with the command however that ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError, childEnvironment } from '../../config/read.ts';

const PROGRAM = fileURLToPath(new URL('../main.ts', import.meta.url));
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
/** Of its stderr, shown if it ends by itself. */
const LAST_CHARACTERS = 10_000;
/** Only for this command: free ports of this machine, without TLS, keys and limits. All else comes from the environment. */
const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  AIP_HTTP_PORT: '',
  ADMIN_PORT: '0',
  GRPC_PORT: '',
  TLS_CERT_FILE: '',
  TLS_KEY_FILE: '',
  API_KEYS_FILE: '',
  RATE_LIMIT: '',
  LOG_LEVEL: 'info',
};

export type OwnGateway = AsyncDisposable & {
  readonly url: string;
  /** Aborted when the gateway has ended by itself. */
  readonly ended: AbortSignal;
};

/**
 * Starts it with the settings of the environment, and `settings` in their place, and waits until it is ready. Its errors go to stderr.
 * Throws ConfigError if it ends, or is not ready in two minutes.
 */
export async function startOwnGateway(settings: Readonly<Record<string, string>> = {}): Promise<OwnGateway> {
  // The channel closes when this process ends, even by SIGKILL. Then the gateway stops too (serve.ts).
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: { ...childEnvironment(), ...SETTINGS, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // Ctrl-C is for the command: it answers what it has sent, and then stops the gateway
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the output of the gateway is no pipe');
  let last = '';
  stderr.on('data', (data) => {
    last = (last + data).slice(-LAST_CHARACTERS);
  });
  const ended = new AbortController();
  let isClosing = false;
  const exited = once(child, 'close').then(() => {
    if (!isClosing) process.stderr.write(last);
    ended.abort();
  });
  const close = async () => {
    isClosing = true;
    child.kill('SIGTERM');
    await exited;
  };
  try {
    const url = await listening(createInterface({ input: stdout }), ended.signal);
    await untilReady(url, ended.signal);
    return { url, ended: ended.signal, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The URL at which it listens, from its log. The lines of errors go on to stderr. */
async function listening(lines: Interface, ended: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onEnd = () => reject(new ConfigError('the gateway of this command could not start; its message is above'));
  ended.addEventListener('abort', onEnd, { once: true });
  lines.on('line', (line) => {
    if (line.startsWith('{"level":"error"') || line.startsWith('{"level":"fatal"')) process.stderr.write(`${line}\n`);
    else if (line.includes('"msg":"listening"')) resolve(`http://127.0.0.1:${JSON.parse(line).port}`);
  });
  return promise;
}

async function untilReady(url: string, ended: AbortSignal): Promise<void> {
  const giveUp = AbortSignal.timeout(READY_TIMEOUT_MS);
  for (;;) {
    const response = await fetch(`${url}/health/ready`);
    const text = await response.text();
    if (response.ok) return;
    if (ended.aborted) throw new ConfigError('the gateway of this command ended; its message is above');
    if (giveUp.aborted) throw new ConfigError(`the gateway of this command is not ready: ${text}`);
    await sleep(POLL_MS);
  }
}
