/** The process: config in, signals, exit codes (0 stopped as asked, 1 failed, 2 wrong settings). */
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
import { openSink } from './observe/sink.ts';

/** How much longer than a request may take the drain waits, for answers to reach slow clients. */
export const DRAIN_MARGIN_MS = 2000;

/**
 * Runs the gateway until SIGTERM, SIGINT or an error that nobody caught; resolves to the exit code when every accepted
 * request is answered. A second signal ends it at once. Throws ModelCardError for model files that are wrong, and ConfigError for a port that cannot be had
 * or where there is no model server at all.
 */
export async function serve(config: Config): Promise<number> {
  const sink = openSink();
  const log = createLog(config.logLevel, sink.destination);
  const asked = askedToStop(log);
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
  // Before the embedded server is up there is nothing to see; when it cannot run here, the watch will say so.
  const started = Promise.race([Promise.allSettled([embedded?.ready]), once(watching.signal, 'abort')]);
  const watched = started.then(() => app.watch(watching.signal));
  cleanUp.defer(async () => {
    watching.abort();
    await watched;
  });

  await listen(app.service, 'PORT', config);
  await listen(app.admin, 'ADMIN_PORT', { host: config.host, port: config.adminPort });
  log.info({ port: portOf(app.service), adminPort: portOf(app.admin), models: [...cards.keys()] }, 'listening');
  // On stderr, so that stdout stays one JSON object a line.
  if (embedded) void app.ready.then(() => process.stderr.write(greeting(config, portOf(app.service), cards)));
  const why = await asked;
  process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1));
  log.info({ why }, 'draining');
  const answered = await app.lifecycle.drain(config.requestTimeoutMs + DRAIN_MARGIN_MS);
  log.info({ answered }, 'drained');
  return answered && why !== 'broken' ? 0 : 1;
}

/**
 * Resolves when a signal asks the process to stop, or with `broken` when an error came up that nobody caught: what it left
 * undone nobody knows, so that the gateway answers what it has accepted and leaves the rest to its successor.
 */
function askedToStop(log: Logger): Promise<'SIGTERM' | 'SIGINT' | 'broken'> {
  const { promise, resolve } = Promise.withResolvers<'SIGTERM' | 'SIGINT' | 'broken'>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  // Rejections that nobody handled come here as well.
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'an error that nobody caught');
    process.exitCode = 1; // where nothing serves yet, or any more
    resolve('broken');
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
