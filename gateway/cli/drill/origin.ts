/** The drill's own HTTP server: serves good pictures and bad responses, and records the requests. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../../config/read.ts';

export type Page = {
  /** Its URL for the endpoint. */
  readonly url: string;
  /** Its URL with another host, such as a spelling of loopback. */
  at(host: string): string;
  /** The requests for it so far. */
  readonly requests: readonly IncomingMessage[];
};

export type DrillOrigin = {
  /** Adds a page at a random path. */
  page(handler: RequestListener): Page;
  close(): void;
};

/**
 * Starts the origin. With `address` (NAME:PORT, as the endpoint reaches it) it listens on that port on all interfaces.
 * Otherwise it listens on a free loopback port, only to detect requests that must not arrive. Throws ConfigError.
 */
export async function startOrigin(address: URL | undefined): Promise<DrillOrigin> {
  const pages = new Map<string, { requests: IncomingMessage[]; handler: RequestListener }>();
  const server = createServer((request, response) => {
    request.socket.on('error', () => {}); // the endpoint may reset the connection
    const found = pages.get((request.url ?? '').replace(/\?.*/, ''));
    found?.requests.push(request);
    if (found) found.handler(request, response);
    else response.writeHead(404).end();
  });
  if (address) server.listen(Number(address.port || 80));
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(`--origin-host ${address?.host}: cannot listen on its port: ${cause.code}`, { cause });
  });
  const { port } = server.address() as AddressInfo;
  const host = address?.hostname ?? '127.0.0.1';
  return {
    page(handler) {
      const path = `/drill-${randomBytes(8).toString('hex')}.png`;
      const requests: IncomingMessage[] = [];
      pages.set(path, { requests, handler });
      const at = (name: string) => `http://${name}:${port}${path}`;
      return { url: at(host), at, requests };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
