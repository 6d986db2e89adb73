/** Asks model servers for the states of a model's versions. */
import { lookup } from 'node:dns/promises';
import { type ChannelSettings, openClient } from '../../backend/grpc/channel.ts';
import { parseBackends } from '../../backend/grpc/resolver.ts';
import type { BackendTls } from '../../backend/grpc/tls.ts';
import { createBackend } from '../../backend/protocols.ts';
import type { Backend } from '../../domain/backend.ts';
import type { BackendProtocol, OwnBackend } from '../../domain/own-limits.ts';
import type { VersionStatus } from '../../domain/servable.ts';
import { asGatewayError } from '../../errors.ts';
import { refused } from './failure.ts';

/** The versions on one server; `trouble` is why it could not be asked. */
export type Report = {
  readonly address: string;
  readonly versions: readonly VersionStatus[];
  readonly trouble?: string;
};

export type Servers = Disposable & {
  /** Asks all servers in parallel. Resolves host names again each time. */
  ask(model: string): Promise<Report[]>;
};

type Server = Pick<Backend, 'status' | 'close'> & {
  /** Resolves when the client has connected, or after CONNECT_TIMEOUT_MS. A request itself would not wait that long. */
  readonly connectAttempt: Promise<void>;
};

/** The trouble of a server that no connection reaches. */
export const UNREACHABLE = 'cannot be reached';

const CONNECT_TIMEOUT_MS = 2000;
const STATUS_TIMEOUT_MS = 5000;

/** Opens the servers in a list of the form of TF_SERVING_HOST. Throws `refused` if it is invalid. */
export function openServers({ host, protocol }: OwnBackend, tls?: BackendTls): Servers {
  const entries = readBackends(host);
  const servers = new Map<string, Server>();
  return {
    async ask(model) {
      const found = new Map((await Promise.all(entries.map(addressesOf))).flat());
      for (const [address, serverName] of found) {
        if (servers.has(address)) continue;
        servers.set(address, openServer(protocol, address, { tls, serverName }));
      }
      return Promise.all([...found.keys()].map((address) => report(address, servers.get(address) as Server, model)));
    },
    [Symbol.dispose]() {
      for (const server of servers.values()) server.close();
    },
  };
}

function openServer(protocol: BackendProtocol, address: string, settings: ChannelSettings): Server {
  const client = openClient(address, settings);
  const { promise: connectAttempt, resolve } = Promise.withResolvers<void>();
  client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, () => resolve());
  const { status, close } = createBackend(protocol, { client, onStatus: () => undefined, maxOutputBytes: 0 });
  return { connectAttempt, status, close };
}

function readBackends(backends: string): ReturnType<typeof parseBackends> {
  try {
    return parseBackends(backends);
  } catch (cause) {
    throw refused(`TF_SERVING_HOST=${backends}: ${(cause as Error).message}`, { cause });
  }
}

/** The addresses of a name, each with the name. The name itself while DNS has none: it may come later. */
async function addressesOf({ scheme, path }: ReturnType<typeof parseBackends>[number]): Promise<[string, string][]> {
  if (scheme === 'unix') return [[`unix:${path}`, 'localhost']];
  const colon = path.lastIndexOf(':');
  const host = path.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = path.slice(colon + 1);
  const found = await lookup(host, { all: true }).catch(() => []);
  if (found.length === 0) return [[path, host]];
  // A server with an IPv4 and an IPv6 address is asked once, by IPv4: many listen on IPv4 only, such as on localhost.
  const family = found.some((one) => one.family === 4) ? 4 : 6;
  return found
    .filter((one) => one.family === family)
    .map(({ address }) => [family === 4 ? `${address}:${port}` : `[${address}]:${port}`, host]);
}

async function report(address: string, { connectAttempt, status }: Server, model: string): Promise<Report> {
  await connectAttempt;
  try {
    const versions = await status(model, AbortSignal.timeout(STATUS_TIMEOUT_MS));
    // TensorFlow's errors may have several lines; tables and logs need one.
    return { address, versions: versions.map((one) => ({ ...one, error: one.error.replace(/\s+/g, ' ') })) };
  } catch (thrown) {
    const { kind, message, cause } = asGatewayError(thrown);
    // The server works but does not have the model.
    if (kind === 'model_not_found') return { address, versions: [] };
    const details = cause instanceof Error && 'details' in cause ? cause.details : undefined;
    return {
      address,
      versions: [],
      trouble: kind === 'model_unavailable' ? UNREACHABLE : String(details ?? message),
    };
  }
}
