/** `tensorgate retrain-hook`: serves until SIGTERM or SIGINT. */
import { accessSync, constants } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import path from 'node:path';
import { ConfigError, childEnvironment } from '../../config/read.ts';
import { readSmallFileSync } from '../../domain/small-file.ts';
import { createLimitedServer } from '../../http/server.ts';
import { reloading } from '../../machine/reload.ts';
import { createLog } from '../../observe/log.ts';
import { readableLines } from '../../observe/readable.ts';
import { openSink } from '../../observe/sink.ts';
import { createHook } from './hook.ts';
import { parseMatches } from './match.ts';
import { createHookServer } from './server.ts';

/** Alertmanager sends a message in one piece, over few connections. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;

/** 24 days, somewhat less than the timers of Node can wait. */
const MAX_TIMER_MS = 576 * 3_600_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

export type RetrainHookOptions = {
  readonly command: readonly string[];
  readonly on: readonly string[];
  readonly cooldownMs: number;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
};

/**
 * Runs the hook. A run that is in progress at SIGTERM or SIGINT gets SIGTERM, and SIGKILL after its grace. Throws
 * ConfigError for wrong options, a command that is not there, a token that cannot be read and a port that is taken.
 */
export async function runRetrainHook(options: RetrainHookOptions): Promise<void> {
  const { command, on, host, port, tokenFile } = options;
  const matches = parseMatches(on);
  checkCommand(command[0] ?? '');
  const longest = Math.max(options.cooldownMs, options.timeoutMs, options.graceMs);
  if (longest > MAX_TIMER_MS) throw new ConfigError('--cooldown, --timeout and --grace: 576h at most');
  if (tokenFile === undefined && !isLoopback(host)) {
    throw new ConfigError(`--host ${host}: whoever reaches it can start the command; needs --token-file`);
  }
  const { promise: stopped, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  const sink = openSink(process.stdout.isTTY ? await readableLines() : undefined);
  const log = createLog('info', sink.destination);
  const token = tokenFile === undefined ? undefined : openToken(tokenFile, log);
  const hook = createHook({ ...options, matches, log });
  const app = createHookServer({ hook, token: () => token?.current });
  const limits = { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxConnections: MAX_CONNECTIONS, log };
  const server = createLimitedServer(app, limits);
  try {
    await new Promise<void>((listening, failed) => {
      server.once('error', failed).listen(port, host, listening);
    });
  } catch (cause) {
    throw new ConfigError(`--host ${host} --port ${port}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  const address = server.address();
  log.info({ host, port: typeof address === 'object' ? address?.port : port, on, command }, 'listening for alerts');
  log.info({ why: await stopped }, 'stopping');
  server.close();
  await hook.stop();
  server.closeAllConnections();
  token?.close();
  log.info({}, 'stopped');
}

/** Throws ConfigError for a command that would fail at the first alert, which may be months away. */
function checkCommand(name: string): void {
  const folders = name.includes(path.sep) ? [''] : (childEnvironment().PATH ?? '').split(path.delimiter);
  if (folders.some((folder) => isExecutable(path.join(folder, name)))) return;
  throw new ConfigError(`${name}: no such command`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Not in this folder.
  }
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return host === 'localhost' || (family > 0 && LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4'));
}

/** The token, read again when its file changes. Throws ConfigError. */
function openToken(file: string, log: Parameters<typeof createHook>[0]['log']) {
  try {
    return reloading({ files: [file], load: () => readToken(file), log });
  } catch (cause) {
    throw new ConfigError(`--token-file ${file}: ${(cause as Error).message}`, { cause });
  }
}

function readToken(file: string): string {
  const token = readSmallFileSync(file).toString().trim();
  if (/^[\w.~+/=-]{16,}$/.test(token)) return token;
  throw new Error('needs a token of at least 16 letters, digits and -._~+/= (openssl rand -hex 32)');
}
