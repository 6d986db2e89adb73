/** Sends requests straight to the source, on connections that are kept for later requests. */
import type { LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { checkConnection, responseTo } from './connection.ts';
import type { Guard } from './guard.ts';
import { MAX_HEAD_BYTES } from './response-head.ts';
import { type Sender, type SenderOptions, TLS_OPTIONS } from './sender.ts';
import { SourceConnection } from './source-connection.ts';
import { unlessAborted } from './wait.ts';

type Agents = { readonly http: http.Agent; readonly https: https.Agent };

/** Common servers close idle connections after 5 s. A shorter time here makes requests on closing connections rare. */
const IDLE_TIMEOUT_MS = 4000;

/** Creates the sender. The guard also checks the address that each socket is really connected to, kept ones included. */
export function createDirectSender(guard: Pick<Guard, 'checkAddress'>, options: SenderOptions): Sender {
  const { headers, connectTimeoutMs } = options;
  const agents = createAgents(options);

  const send: Sender['send'] = async (url, addresses, signal, own) => {
    const request = startGet(url, agents, { headers: { ...headers, ...own }, signal, lookup: pinnedTo(addresses) });
    checkConnection(request, {
      connectEvent: url.protocol === 'https:' ? 'secureConnect' : 'connect',
      connectTimeoutMs,
      checkPeer: (address) => guard.checkAddress(address, url),
    });
    try {
      // Aborting a request that still waits for a connection emits no event, so listen to the signal here too.
      return await unlessAborted(signal, responseTo(request));
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
  const limits = { maxSockets, maxTotalSockets, maxFreeSockets: maxSockets };
  const options = { keepAlive: true, ...limits, timeout: IDLE_TIMEOUT_MS };
  const agents: Agents = { http: new http.Agent(options), https: new https.Agent({ ...options, ...TLS_OPTIONS }) };
  for (const agent of [agents.http, agents.https]) wrapConnections(agent, maxBodyBytes);
  return agents;
}

/** Makes the agent's connections SourceConnections. Keeps one for later requests only while half of all may be opened. */
function wrapConnections(agent: http.Agent, maxBodyBytes: number): void {
  const connect = agent.createConnection.bind(agent);
  const keep = agent.keepSocketAlive.bind(agent);
  let open = 0;
  agent.createConnection = (target) => {
    open += 1;
    const connection = new SourceConnection(connect(target) as Socket, maxBodyBytes);
    return connection.once('close', () => {
      open -= 1;
    });
  };
  // Requests to other hosts wait for connections that are kept: they count as open.
  agent.keepSocketAlive = (connection) => open <= agent.maxTotalSockets / 2 && keep(connection);
}

/** A lookup that returns the checked addresses. A second DNS lookup could return others (DNS rebinding). */
function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, _options, done) => done(null, [...addresses]);
}

function startGet(url: URL, agents: Agents, options: http.RequestOptions): http.ClientRequest {
  const common = { ...options, autoSelectFamily: true, maxHeaderSize: MAX_HEAD_BYTES };
  return url.protocol === 'https:'
    ? https.get(url, { ...common, agent: agents.https })
    : http.get(url, { ...common, agent: agents.http });
}
