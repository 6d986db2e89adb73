/** Sends requests straight to the source, on connections that are kept for later requests. */
import type { LookupAddress } from 'node:dns';
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { http } from '../domain/node-http.ts';
import { checkConnection, responseTo } from './connection.ts';
import type { Guard } from './guard.ts';
import { MAX_HEAD_BYTES } from './response-head.ts';
import { type Sender, type SenderOptions, TLS_OPTIONS } from './sender.ts';
import { SourceConnection } from './source-connection.ts';
import { SourcePlaces } from './source-places.ts';
import { unlessAborted } from './wait.ts';

type Agents = { readonly http: Agent; readonly https: https.Agent };

/** Common servers close idle connections after 5 s. A shorter time here makes requests on closing connections rare. */
const IDLE_TIMEOUT_MS = 4000;

/** Creates the sender. The guard also checks the address that each socket is really connected to, kept ones included. */
export function createDirectSender(guard: Pick<Guard, 'checkAddress'>, options: SenderOptions): Sender {
  const { headers, connectTimeoutMs, maxSockets, maxTotalSockets } = options;
  const places = new SourcePlaces({ perSource: maxSockets, inAll: maxTotalSockets });
  const agents = createAgents(options);

  const send: Sender['send'] = async (url, addresses, signal, own) => {
    let ends: ClientRequest | IncomingMessage | undefined;
    const release = await places.acquire(url.origin, signal, (error) => ends?.destroy(error));
    const request = startGet(url, agents, { headers: { ...headers, ...own }, signal, lookup: pinnedTo(addresses) });
    request.once('close', release);
    ends = request;
    checkConnection(request, {
      connectEvent: url.protocol === 'https:' ? 'secureConnect' : 'connect',
      connectTimeoutMs,
      checkPeer: (address) => guard.checkAddress(address, url),
    });
    try {
      const response = await unlessAborted(signal, responseTo(request));
      ends = response;
      return response;
    } catch (error) {
      // The server closed a kept connection just before this request. Retry, as Node's manual on reusedSocket advises.
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale) return send(url, addresses, signal, own);
      throw error;
    }
  };

  return {
    send,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Agents for this sender only: the global agents follow HTTP_PROXY under NODE_USE_ENV_PROXY. */
function createAgents({ maxSockets, maxTotalSockets, maxBodyBytes }: SenderOptions): Agents {
  const options = { keepAlive: true, maxFreeSockets: maxSockets, timeout: IDLE_TIMEOUT_MS };
  const agents: Agents = { http: new http.Agent(options), https: new https.Agent({ ...options, ...TLS_OPTIONS }) };
  const both = [agents.http, agents.https];
  let open = 0;
  for (const agent of both) {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (target) => {
      // As many may be in use, so one of the others is kept for later requests.
      if (open >= maxTotalSockets) closeKept(both);
      open += 1;
      const connection = new SourceConnection(connect(target) as Socket, maxBodyBytes);
      return connection.once('close', () => {
        open -= 1;
      });
    };
  }
  return agents;
}

/** Closes a connection that no request uses. */
function closeKept(agents: readonly Agent[]): void {
  const kept = agents.flatMap(({ freeSockets }) => Object.values(freeSockets).flatMap((sockets) => sockets ?? []));
  kept.find(({ destroyed }) => !destroyed)?.destroy();
}

/** A lookup that returns the checked addresses. A second DNS lookup could return others (DNS rebinding). */
function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, _options, done) => done(null, [...addresses]);
}

function startGet(url: URL, agents: Agents, options: RequestOptions): ClientRequest {
  const common = { ...options, autoSelectFamily: true, maxHeaderSize: MAX_HEAD_BYTES };
  return url.protocol === 'https:'
    ? https.get(url, { ...common, agent: agents.https })
    : http.get(url, { ...common, agent: agents.http });
}
