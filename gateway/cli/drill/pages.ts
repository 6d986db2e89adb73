/** Request handlers for the drill's origin: normal responses, raw bytes, and broken responses. */
import type { RequestListener } from 'node:http';

type Bytes = string | Uint8Array;

/** Responds with a status and a body. */
export const respondWith =
  (status: number, body: Bytes = '', headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end(status === 204 || status === 304 ? undefined : body);

export const redirect = (status: number, location: string): RequestListener =>
  respondWith(status, '', { Location: location });

/** Writes these bytes to the socket, valid HTTP or not, and closes it. */
export const rawResponse =
  (bytes: string): RequestListener =>
  ({ socket }) =>
    socket.end(bytes, 'latin1');

/** Resets the connection. */
export const reset: RequestListener = ({ socket }) => socket.resetAndDestroy();

/** Sends a response head, then one byte every 250 ms until the client disconnects. */
export const drip: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': '100000' });
  const timer = setInterval(() => response.write('x'), 250);
  response.once('close', () => clearInterval(timer));
};

/** Never responds. */
export const silent: RequestListener = () => {};

/** Sends a Content-Length and no body. */
export const headOnly =
  (bytes: number): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': String(bytes) }).flushHeaders();

/** Sends up to `maxBytes` without Content-Length, as fast as the client reads. */
export const endless =
  (maxBytes: number): RequestListener =>
  (_request, response) => {
    const chunk = Buffer.alloc(65_536);
    let left = maxBytes;
    const more = () => {
      while (left > 0 && !response.destroyed && response.write(chunk)) left -= chunk.length;
      if (left <= 0) response.end();
    };
    response.on('drain', () => {
      left -= chunk.length;
      more();
    });
    response.writeHead(200, { 'Content-Type': 'image/png' });
    more();
  };
