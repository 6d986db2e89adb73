/** Finds the servers of each model, as a gateway does: its own by model.yaml, those of TF_SERVING_HOST, or embedded ones. */
import { findEmbedded } from '../../backend/embedded-servers.ts';
import type { OwnBackend } from '../../domain/own-limits.ts';
import type { ModelsContext } from './context.ts';
import { refused } from './failure.ts';
import { modelPath } from './model-folder.ts';
import { readValidCard } from './records.ts';
import { openServers, type Servers } from './servers.ts';

/** Opens the servers when they are asked. A model without servers has no reports. Throws `refused` for an invalid TF_SERVING_HOST. */
export async function findServers(context: ModelsContext): Promise<Servers> {
  const { models, tls } = context;
  const shared = await sharedServers(context);
  const opened = new Map<string, Servers>();
  const open = (backend: OwnBackend) => {
    const key = JSON.stringify(backend);
    const servers = opened.get(key) ?? openServers(backend, backend === shared ? sharedTls(context) : tls);
    opened.set(key, servers);
    return servers;
  };
  if (shared) open(shared);
  return {
    async ask(model) {
      const backend = (await ownServers(models, model)) ?? shared;
      return backend ? open(backend).ask(model) : [];
    },
    [Symbol.dispose]() {
      for (const servers of opened.values()) servers[Symbol.dispose]();
    },
  };
}

/** The servers of a model, and how they are called. Undefined if it has none. */
export async function serversOf(
  model: string,
  context: ModelsContext,
): Promise<{ readonly backend: OwnBackend; readonly tls: ModelsContext['tls'] } | undefined> {
  const own = await ownServers(context.models, model);
  if (own) return { backend: own, tls: context.tls };
  const shared = await sharedServers(context);
  return shared && { backend: shared, tls: sharedTls(context) };
}

/** Like findServers. Throws `refused` if the model has no servers. */
export async function requireServers(model: string, context: ModelsContext): Promise<Servers> {
  if (await serversOf(model, context)) return findServers(context);
  throw refused(
    `TF_SERVING_HOST is not set, and no gateway with the embedded server runs for ${context.models}: start one with ` +
      'make run, or name the servers with --tf-serving-host',
  );
}

/** The servers of models that have none of their own. Undefined if there are none. */
async function sharedServers({ models, shared }: ModelsContext): Promise<OwnBackend | undefined> {
  if (shared) return shared;
  const embedded = await findEmbedded(models);
  return embedded.length === 0 ? undefined : { host: embedded.join(), protocol: 'tf-serving' };
}

/** The embedded server is called without TLS. */
function sharedTls({ shared, tls }: ModelsContext): ModelsContext['tls'] {
  return shared && tls;
}

/** The servers in a model's model.yaml. One with mistakes names none. */
async function ownServers(models: string, model: string): Promise<OwnBackend | undefined> {
  return (await readValidCard(modelPath(models, model)))?.backend;
}
