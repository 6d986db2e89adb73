/** The model servers behind TF_SERVING_HOST, each on its own: what it says of a model's versions. */
import { lookup } from 'node:dns/promises';
import { openClient } from '../../backend/grpc/channel.ts';
import type { ModelServers } from '../../backend/grpc/model-servers.ts';
import { parseBackends } from '../../backend/grpc/resolver.ts';
import type { BackendTls } from '../../backend/grpc/tls.ts';
import { createUnary } from '../../backend/grpc/unary.ts';
import { createLookUp } from '../../backend/tf-serving/look-up.ts';
import { loadProtocol, type Protocol } from '../../backend/tf-serving/messages.ts';
import type { Backend } from '../../domain/backend.ts';
import type { VersionStatus } from '../../domain/servable.ts';
import { asGatewayError } from '../../errors.ts';
import { refused } from './failure.ts';

/** What one server said; `trouble` where it could not be asked. */
export type Report = {
  readonly address: string;
  readonly versions: readonly VersionStatus[];
  readonly trouble?: string;
};

export type Servers = Disposable & {
  /** Asks every server at once; the addresses behind names are looked up anew each time. */
  ask(model: string): Promise<Report[]>;
};

type Server = {
  readonly client: ModelServers;
  /** Resolves when the first connection is made, or its time is over: a request would not wait as long. */
  readonly tried: Promise<void>;
  readonly status: Backend['status'];
};

const CONNECT_PATIENCE_MS = 2000;
const STATUS_TIMEOUT_MS = 5000;

/** Opens the servers of a TF_SERVING_HOST. Throws `refused` when it is not set or cannot be read. */
export function openServers(backends: string | undefined, tls?: BackendTls): Servers {
  if (backends === undefined)
    throw refused('TF_SERVING_HOST is not set: it names the servers, as does --tf-serving-host');
  const entries = readBackends(backends);
  const protocol = loadProtocol();
  const servers = new Map<string, Server>();
  return {
    async ask(model) {
      const found = new Map((await Promise.all(entries.map(addressesOf))).flat());
      for (const [address, serverName] of found) {
        if (servers.has(address)) continue;
        servers.set(address, openServer(openClient(address, { tls, serverName }), protocol));
      }
      return Promise.all([...found.keys()].map((address) => report(address, servers.get(address) as Server, model)));
    },
    [Symbol.dispose]() {
      for (const { client } of servers.values()) client.close();
    },
  };
}

function openServer(client: ModelServers, protocol: Protocol): Server {
  const { promise: tried, resolve } = Promise.withResolvers<void>();
  client.waitForReady(Date.now() + CONNECT_PATIENCE_MS, () => resolve());
  const unary = createUnary(client, () => undefined);
  return { client, tried, ...createLookUp(unary, protocol) };
}

function readBackends(backends: string): ReturnType<typeof parseBackends> {
  try {
    return parseBackends(backends);
  } catch (cause) {
    throw refused(`TF_SERVING_HOST=${backends}: ${(cause as Error).message}`, { cause });
  }
}

/** The addresses behind a name, each with the name; the name itself while DNS does not know it, for it may come. */
async function addressesOf({ scheme, path }: ReturnType<typeof parseBackends>[number]): Promise<[string, string][]> {
  if (scheme === 'unix') return [[`unix:${path}`, 'localhost']];
  const colon = path.lastIndexOf(':');
  const host = path.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = path.slice(colon + 1);
  const found = await lookup(host, { all: true }).catch(() => []);
  if (found.length === 0) return [[path, host]];
  // A server with an address of each kind is one server, and many listen on IPv4 alone, localhost's for one.
  const family = found.some((one) => one.family === 4) ? 4 : 6;
  return found
    .filter((one) => one.family === family)
    .map(({ address }) => [family === 4 ? `${address}:${port}` : `[${address}]:${port}`, host]);
}

async function report(address: string, { tried, status }: Server, model: string): Promise<Report> {
  await tried;
  try {
    const versions = await status(model, AbortSignal.timeout(STATUS_TIMEOUT_MS));
    // TensorFlow's words may go over several lines, where a table and a log have one.
    return { address, versions: versions.map((one) => ({ ...one, error: one.error.replace(/\s+/g, ' ') })) };
  } catch (thrown) {
    const { kind, message, cause } = asGatewayError(thrown);
    // The server is well, and has not seen the model.
    if (kind === 'model_not_found') return { address, versions: [] };
    const details = cause instanceof Error && 'details' in cause ? cause.details : undefined;
    return {
      address,
      versions: [],
      trouble: kind === 'model_unavailable' ? 'cannot be reached' : String(details ?? message),
    };
  }
}
