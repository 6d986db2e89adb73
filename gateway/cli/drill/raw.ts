/** Sends raw bytes: requests that no HTTP client would send. */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { type Endpoint, MAX_RESPONSE_BYTES } from './endpoint.ts';

export type RawResult = {
  /** The status of every response on the connection. */
  readonly statuses: readonly number[];
  /** Whether the endpoint closed the connection before the timeout. */
  readonly closed: boolean;
};

export type RawOptions = {
  /** Pause between two pieces. */
  readonly everyMs?: number;
  readonly timeoutMs?: number;
  /** Wait until the connection closes (the default), or until the first bytes of a response. */
  readonly until?: 'closed' | 'answered';
};

/** Sends the pieces until the endpoint closes the connection, and waits for `until`, at most `timeoutMs` in total. */
export async function sendRaw(
  { url }: Endpoint,
  pieces: Iterable<string>,
  { everyMs = 0, timeoutMs = 5000, until = 'closed' }: RawOptions = {},
): Promise<RawResult> {
  const socket = connect(url);
  let text = '';
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_RESPONSE_BYTES) socket.destroy();
  });
  socket.on('error', () => {}); // a reset counts as closed
  const timer = new AbortController();
  const timedOut = sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  void sendPieces(socket, pieces, everyMs);
  const answered =
    until === 'answered' ? [new Promise<false>((resolve) => socket.once('data', () => resolve(false)))] : [];
  const wasClosed = await Promise.race([closed, timedOut, ...answered]);
  timer.abort();
  socket.destroy();
  const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status));
  return { statuses, closed: wasClosed };
}

async function sendPieces(socket: net.Socket, pieces: Iterable<string>, everyMs: number): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece, 'latin1');
    if (everyMs > 0) await sleep(everyMs);
  }
}

function connect({ protocol, hostname, port }: URL): net.Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:') return net.connect({ host, port: Number(port || 80) });
  return tls.connect({ host, port: Number(port || 443), ...(net.isIP(host) === 0 && { servername: host }) });
}

/** The head of a POST to /predict: Host, the API key if any, then `lines`. */
export function rawHead({ url, key, predictPath, targetOf }: Endpoint, ...lines: readonly string[]): string {
  const authorization = key === undefined ? [] : [`Authorization: Bearer ${key}`];
  return [`POST ${targetOf(predictPath)} HTTP/1.1`, `Host: ${url.host}`, ...authorization, ...lines, '', ''].join(
    '\r\n',
  );
}
