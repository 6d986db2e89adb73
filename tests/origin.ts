/** An image source on loopback, with good and bad answers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Origin = {
  readonly url: string;
  readonly port: number;
  /** Paths requested so far. */
  readonly hits: readonly string[];
  close(): Promise<void>;
};

type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the given pages by path; any other path is 404. */
export async function startOrigin(pages: Readonly<Record<string, Page | Uint8Array>>): Promise<Origin> {
  const hits: string[] = [];
  const listener: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://origin');
    hits.push(pathname);
    const page = pages[pathname];
    if (typeof page === 'function') page(request, response);
    else response.writeHead(page ? 200 : 404).end(page ?? 'nothing here');
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    hits,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Answers with a redirect. */
export function redirectTo(location: string, status = 302): Page {
  return (_request, response) => response.writeHead(status, { Location: location }).end();
}

/** Sends an image's headers and then one byte every 200 ms, without end. */
export const slowDrip: Page = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': '100000' });
  const timer = setInterval(() => response.write('x'), 200);
  response.on('close', () => clearInterval(timer));
};

/** Sends a body without Content-Length and without end. */
export const endless: Page = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'image/jpeg' });
  const chunk = Buffer.alloc(65_536);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};
