/** The drill's own image source: good pictures, bad answers, and a count of who came. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../../config.ts';

export type Page = {
  /** Where the endpoint finds it, if it can reach the origin. */
  readonly url: string;
  /** The same page behind another spelling of a host, such as a loopback address. */
  at(host: string): string;
  /** The requests for it so far. */
  readonly requests: readonly IncomingMessage[];
};

export type DrillOrigin = {
  /** Puts a page on, at a path that nobody can guess. */
  page(answer: RequestListener): Page;
  close(): void;
};

/**
 * Starts the origin. With `address` (NAME:PORT, as the endpoint reaches it) it listens on that port on every interface,
 * else on a free port of loopback alone, where it only counts what must not come. Throws ConfigError.
 */
export async function startOrigin(address: URL | undefined): Promise<DrillOrigin> {
  const pages = new Map<string, { requests: IncomingMessage[]; answer: RequestListener }>();
  const server = createServer((request, response) => {
    request.socket.on('error', () => {}); // endpoints hang up on what they do not like
    const found = pages.get((request.url ?? '').replace(/\?.*/, ''));
    found?.requests.push(request);
    if (found) found.answer(request, response);
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
    page(answer) {
      const path = `/drill-${randomBytes(8).toString('hex')}.png`;
      const requests: IncomingMessage[] = [];
      pages.set(path, { requests, answer });
      const at = (name: string) => `http://${name}:${port}${path}`;
      return { url: at(host), at, requests };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
