/** The gateway process: start, signals, exit codes (0 stopped by a signal, 1 failed, 2 invalid settings). */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { hasEmbedded, startEmbedded } from './backend/embedded.ts';
import { ConfigError, childEnvironment } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { greeting } from './greeting.ts';
import { usableCores } from './machine/cores.ts';
import { type ModelCard, readCards } from './model/card.ts';
import { createLog } from './observe/log.ts';
import { readableLines } from './observe/readable.ts';
import { openSink } from './observe/sink.ts';

/** The drain takes at most the deadline of a request plus this margin, in which answers reach slow clients. */
export const DRAIN_MARGIN_MS = 2000;

/**
 * Runs the gateway until SIGTERM, SIGINT or an uncaught error. Then it answers all accepted requests and resolves to
 * the exit code. A second signal ends the process at once. Throws ModelCardError for invalid model files, and
 * ConfigError for a port that cannot be used or if there is no model server.
 */
export async function serve(config: Config): Promise<number> {
  const sink = openSink(process.stdout.isTTY ? await readableLines() : undefined);
  const log = createLog(config.logLevel, sink.destination);
  const stopped = stopReason(log);
  if (config.tfServingHost === undefined && !hasEmbedded()) {
    throw new ConfigError('TF_SERVING_HOST is not set, and there is no embedded model server in this installation');
  }
  const cards = await readCards(config.models);
  await using cleanUp = new AsyncDisposableStack();
  const embedded =
    config.tfServingHost === undefined
      ? startEmbedded({ models: basePaths(cards), cores: usableCores(), env: childEnvironment(), log })
      : undefined;
  cleanUp.defer(() => embedded?.close());
  const app = createApp({
    config,
    log,
    droppedLines: sink.dropped,
    cards,
    target: config.tfServingHost ?? embedded?.target ?? '',
  });
  cleanUp.defer(app.close);
  const watching = new AbortController();
  // Watch the models once the embedded server has started. If it fails to start, the watch reports it.
  const started = Promise.race([Promise.allSettled([embedded?.ready]), once(watching.signal, 'abort')]);
  const watched = started.then(() => app.watch(watching.signal));
  cleanUp.defer(async () => {
    watching.abort();
    await watched;
  });

  await listen(app.service, 'PORT', config);
  await listen(app.admin, 'ADMIN_PORT', { host: config.host, port: config.adminPort });
  log.info({ port: portOf(app.service), adminPort: portOf(app.admin), models: [...cards.keys()] }, 'listening');
  // On stderr: stdout has the log only.
  if (embedded) void app.ready.then(() => process.stderr.write(greeting(config, portOf(app.service), cards)));
  const why = await stopped;
  process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1));
  log.info({ why }, 'draining');
  const answered = await app.lifecycle.drain(config.requestTimeoutMs + DRAIN_MARGIN_MS);
  log.info({ answered }, 'drained');
  return answered && why !== 'uncaught error' ? 0 : 1;
}

type StopReason = 'SIGTERM' | 'SIGINT' | 'uncaught error';

/** Resolves at the first signal or uncaught error. An uncaught error leaves an unknown state: the process must stop. */
function stopReason(log: Logger): Promise<StopReason> {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  // Unhandled rejections too.
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'an uncaught error');
    process.exitCode = 1; // for an error before the start or after the drain
    resolve('uncaught error');
  });
  return promise;
}

function basePaths(cards: ReadonlyMap<string, ModelCard>) {
  return [...cards.values()].map(({ name, folder }) => ({ name, basePath: folder }));
}

async function listen(server: Server, setting: string, { host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another process listens there' : code;
    throw new ConfigError(`${setting}=${port}: cannot listen on ${host}: ${why}`, { cause });
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
