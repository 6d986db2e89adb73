/** The gateway process: start, signals, exit codes (0 stopped by a signal, 1 failed, 2 invalid settings). */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { type Embedded, hasEmbedded, startEmbedded } from './backend/embedded.ts';
import { missingOnnx, modelsConfigOf } from './backend/embedded-models.ts';
import { ConfigError, childEnvironment, misspeltSettings, readTraces } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { listen } from './door/listen.ts';
import { greeting } from './greeting.ts';
import { usableCores } from './machine/cores.ts';
import { missingOnnxRuntime } from './machine/onnx-runtime.ts';
import { ModelCardError } from './model/card.ts';
import { watchFolders } from './model/folder-watch.ts';
import { type ModelFolders, ModelsFolder } from './model/folders.ts';
import { createLog } from './observe/log.ts';
import { readableLines } from './observe/readable.ts';
import { openSink } from './observe/sink.ts';
import type { Tracing } from './observe/traces/open.ts';

/** The drain takes at most the deadline of a request plus this margin, in which answers reach slow clients. */
export const DRAIN_MARGIN_MS = 2000;

/**
 * Runs the gateway until SIGTERM, SIGINT, SIGHUP or an uncaught error. Then it answers all accepted requests and resolves to
 * the exit code. A second signal ends the process at once. Throws ModelCardError if no model.yaml is
 * valid, and ConfigError for a port that cannot be used or if there is no model server.
 */
export async function serve(config: Config): Promise<number> {
  const sink = openSink(process.stdout.isTTY ? await readableLines() : undefined);
  const log = createLog(config.logLevel, sink.destination);
  const stopped = stopReason(log);
  for (const line of misspeltSettings()) log.warn({}, line);
  if (config.tfServingHost === undefined) checkEmbedded();
  const folder = new ModelsFolder(config.models);
  const folders = await folder.read();
  const mistakes = [...folders.mistakes.values()];
  // With one valid model the gateway starts: health shows the mistakes of the others. Without any model.yaml, requests name models.
  if (folders.cards.size === 0 && mistakes.length > 0) throw new ModelCardError(mistakes.join('\n'));
  await using cleanUp = new AsyncDisposableStack();
  const own = config.tfServingHost === undefined ? await startOwnServer(config, folders, log) : undefined;
  cleanUp.defer(() => own?.embedded.close());
  const app = createApp({
    config,
    log,
    writeLine: sink.write,
    droppedLines: sink.dropped,
    folders,
    explain: async ({ folder, backend }) => (own && !backend ? missingOnnx(folder) : undefined),
    target: config.tfServingHost ?? own?.embedded.target ?? '',
    tracing: await openTraces(log),
  });
  cleanUp.defer(app.close);
  const watching = new AbortController();
  const { signal } = watching;
  const onRead = async (read: ModelFolders) => {
    await app.reload(read);
    await own?.serve(read);
  };
  // Ask the embedded server once it has started. If it fails to start, the watch reports it.
  const started = Promise.race([own?.embedded.firstStart, once(signal, 'abort')]);
  const watched = started.then(() => Promise.all([app.watch(signal), watchFolders({ folder, log, onRead }, signal)]));
  cleanUp.defer(async () => {
    watching.abort();
    await watched;
  });

  const { host, port, aipHttpPort } = config;
  const sockets = SERVICE_SOCKETS;
  if (aipHttpPort === undefined) await listenAs('PORT', app.service, { host, port, sockets });
  else await listenAs('AIP_HTTP_PORT', app.service, { host, port: aipHttpPort, sockets });
  await listenAs('ADMIN_PORT', app.admin, { host, port: config.adminPort });
  if (app.grpc) await listenAs('GRPC_PORT', app.grpc, { host, port: config.grpcPort ?? 0 });
  const grpcPort = app.grpc && portOf(app.grpc);
  const ports = { port: portOf(app.service), adminPort: portOf(app.admin), grpcPort };
  log.info({ ...ports, models: [...folders.cards.keys()] }, 'listening');
  // On stderr: stdout has the log only.
  if (own) void app.ready.then(() => process.stderr.write(greeting(config, portOf(app.service), folders.cards)));
  const why = await stopped;
  for (const signal of STOP_SIGNALS) process.once(signal, () => process.exit(1));
  log.info({ why }, 'draining');
  const answered = await app.lifecycle.drain(config.requestTimeoutMs + DRAIN_MARGIN_MS);
  log.info({ answered }, 'drained');
  return answered && why !== 'uncaught error' ? 0 : 1;
}

/** Undefined where the environment does not ask for traces: then nothing of OpenTelemetry is loaded. */
async function openTraces(log: Logger): Promise<Tracing | undefined> {
  const { traces, mistakes } = readTraces();
  for (const line of mistakes) log.warn({}, line);
  if (!traces) return undefined;
  const { openTracing } = await import('./observe/traces/open.ts');
  return await openTracing({ settings: traces, log });
}

/** Throws ConfigError where the embedded server cannot run. */
function checkEmbedded(): void {
  const missing = hasEmbedded() ? missingOnnxRuntime() : 'there is no embedded model server in this installation';
  if (missing !== undefined) throw new ConfigError(`TF_SERVING_HOST is not set, and ${missing}`);
}

/** SIGHUP: the terminal was closed. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Node opens its debugger at the first, for every process of this user, and ends at the second. */
const IGNORED_SIGNALS = ['SIGUSR1', 'SIGUSR2'] as const;

type StopReason = (typeof STOP_SIGNALS)[number] | 'uncaught error';

/** Resolves at the first signal or uncaught error. An uncaught error leaves an unknown state: the process must stop. */
function stopReason(log: Logger): Promise<StopReason> {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  for (const signal of STOP_SIGNALS) process.once(signal, () => resolve(signal));
  for (const signal of IGNORED_SIGNALS) process.on(signal, () => log.warn({ signal }, 'the signal is ignored'));
  // Unhandled rejections too.
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'an uncaught error');
    process.exitCode = 1; // for an error before the start or after the drain
    resolve('uncaught error');
  });
  return promise;
}

type OwnServer = { readonly embedded: Embedded; readonly serve: (folders: ModelFolders) => Promise<void> };

/** Starts the embedded server with the models, policies and labels of MODELS. `serve` replaces them. */
async function startOwnServer({ models }: Config, folders: ModelFolders, log: Logger): Promise<OwnServer> {
  const list = modelsConfigOf(models, log);
  const served = ({ cards, others }: ModelFolders) =>
    list([
      ...cards.values().filter(({ backend }) => !backend),
      ...[...others].map(([name, folder]) => ({ name, folder })),
    ]);
  const env = childEnvironment();
  const embedded = startEmbedded({ models: await served(folders), cores: usableCores(), env, log });
  return { embedded, serve: async (next) => embedded.serve(await served(next)) };
}

/** What is wrong with a port. All other codes, such as ENOTFOUND and EADDRNOTAVAIL, are faults of HOST. */
const PORT_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'this user may not listen there',
};

/** For PORT. New connections arrive in bursts there; gRPC's clients and probes keep theirs. */
const SERVICE_SOCKETS = 8;

type Place = { readonly host: string; readonly port: number; readonly sockets?: number };

async function listenAs(setting: string, server: Server, { host, port, sockets }: Place): Promise<void> {
  try {
    await listen(server, { host, port }, sockets);
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const fault = PORT_FAULTS[code];
    if (fault) throw new ConfigError(`${setting}=${port}: cannot listen on ${host}: ${fault}`, { cause });
    const hint = 'unset it, or set it to 0.0.0.0 (some tools, such as conda, set HOST to the name of a platform)';
    throw new ConfigError(`HOST=${host}: is not an address of this machine (${code}); ${hint}`, { cause });
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
