/** The model server that `tensorgate models prove` asks. */
import { hasEmbedded, startEmbedded } from '../../backend/embedded.ts';
import { findEmbedded } from '../../backend/embedded-servers.ts';
import type { BackendTls } from '../../backend/grpc/tls.ts';
import type { OwnBackend } from '../../domain/own-limits.ts';
import type { Log } from '../../domain/request.ts';
import { usableCores } from '../../machine/cores.ts';
import type { ModelCard } from '../../model/card.ts';
import type { ModelsContext } from './context.ts';
import { refused } from './failure.ts';

/** A log for parts of the gateway that a command uses. Their failures are thrown too. */
export const QUIET: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export type ProofServer = AsyncDisposable & { readonly servers: OwnBackend; readonly tls?: BackendTls | undefined };

/**
 * The model's own servers, or those of TF_SERVING_HOST; without them the embedded server of a running gateway; without one an embedded server for this command.
 * Throws `refused` where the embedded server is not installed.
 */
export async function proofServer({ name, folder, backend }: ModelCard, context: ModelsContext): Promise<ProofServer> {
  const { models, shared, tls } = context;
  const known = backend ?? shared;
  if (known) return { servers: known, tls, [Symbol.asyncDispose]: async () => undefined };
  const [running] = await findEmbedded(models);
  if (running !== undefined) return { servers: embeddedAt(running), [Symbol.asyncDispose]: async () => undefined };
  if (!hasEmbedded()) throw refused('TF_SERVING_HOST is not set: name a server that serves the model');
  const embedded = startEmbedded({ models: [{ name, basePath: folder }], cores: usableCores(), log: QUIET });
  const servers = embeddedAt(embedded.target);
  const server = { servers, [Symbol.asyncDispose]: () => embedded.close() };
  try {
    await embedded.ready;
    return server;
  } catch (cause) {
    await embedded.close();
    throw refused((cause as Error).message, { cause });
  }
}

function embeddedAt(host: string): OwnBackend {
  return { host, protocol: 'tf-serving' };
}
