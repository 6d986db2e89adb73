/** What the drill's origin answers: by its status, by raw bytes, or badly. */
import type { RequestListener } from 'node:http';

type Bytes = string | Uint8Array;

/** Answers with a status and a body. */
export const answer =
  (status: number, body: Bytes = '', headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end(status === 204 || status === 304 ? undefined : body);

export const redirect = (status: number, location: string): RequestListener =>
  answer(status, '', { Location: location });

/** Writes these bytes on the socket, HTTP or not, and closes. */
export const rawAnswer =
  (bytes: string): RequestListener =>
  ({ socket }) =>
    socket.end(bytes, 'latin1');

/** Closes the connection without a word. */
export const reset: RequestListener = ({ socket }) => socket.resetAndDestroy();

/** Sends a picture's head and then a byte at a time, for ever. */
export const drip: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': '100000' });
  const timer = setInterval(() => response.write('x'), 250);
  response.once('close', () => clearInterval(timer));
};

/** Takes the request and never answers. */
export const silent: RequestListener = () => {};

/** Announces so many bytes and sends none of them. */
export const announces =
  (bytes: number): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': String(bytes) }).flushHeaders();

/** Sends without saying how much it will be, up to `maxBytes`, as fast as it is taken. */
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
