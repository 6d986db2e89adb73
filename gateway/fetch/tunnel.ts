/** Opens connections through an egress proxy with CONNECT (RFC 9110, 9.3.6). */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { http } from '../domain/node-http.ts';
import { MAX_HEAD_BYTES } from './response-head.ts';
import { TLS_OPTIONS } from './sender.ts';
import { hostOf, portOf } from './source-url.ts';

/**
 * Opens a connection to the URL's port at this address, with TLS for https. The proxy gets the address, never the
 * name: it could resolve the name to another one. Throws if the proxy refuses, if bytes arrive before
 * the request, and what the network and TLS throw.
 */
export async function openTunnel(proxy: URL, url: URL, address: string, signal: AbortSignal): Promise<Socket> {
  const target = `${isIP(address) === 6 ? `[${address}]` : address}:${portOf(url)}`;
  const socket = await connectThrough(proxy, target, signal);
  return url.protocol === 'https:' ? secure(socket, hostOf(url), signal) : socket;
}

async function connectThrough(proxy: URL, target: string, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(proxy);
  const options = {
    ...{ host, port: portOf(proxy), method: 'CONNECT', path: target, agent: false as const, signal },
    headers: { host: target, ...authorization(proxy) },
    maxHeaderSize: MAX_HEAD_BYTES,
  };
  const request =
    proxy.protocol === 'https:' ? https.request({ ...options, ...serverName(host) }) : http.request(options);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  request.once('error', reject);
  request.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, early: Buffer) => {
    const isOpen = statusCode >= 200 && statusCode < 300;
    if (isOpen && early.length === 0) return resolve(socket);
    socket.destroy();
    const what = isOpen ? 'sent bytes before the request' : `answered CONNECT ${target} with ${statusCode}`;
    reject(new Error(`the proxy ${what}`));
  });
  request.end();
  return await promise;
}

/** TLS with the source, which has to have a certificate of the URL's host. */
async function secure(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  const secured = tls.connect({ socket, host, ...serverName(host), ALPNProtocols: ['http/1.1'], ...TLS_OPTIONS });
  try {
    await once(secured, 'secureConnect', { signal });
    return secured;
  } catch (error) {
    secured.on('error', () => {}).destroy();
    socket.destroy();
    throw error;
  }
}

/** The name for TLS (RFC 6066, 3): an address has none. */
const serverName = (host: string) => ({ servername: isIP(host) === 0 ? host : '' });

/** Basic authentication (RFC 7617) from the user and password of the proxy's URL. */
function authorization({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}
