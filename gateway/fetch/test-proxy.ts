/** An egress proxy for tests: it answers CONNECT and records its requests. */
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export type TestProxy = {
  readonly url: URL;
  /** The targets of CONNECT so far. */
  readonly targets: readonly string[];
  /** The headers of every CONNECT. */
  readonly headers: readonly http.IncomingHttpHeaders[];
  /** Requests that are no CONNECT. */
  readonly others: readonly string[];
  readonly mostAtOnce: () => number;
};

/** Answers one CONNECT. By default the proxy connects to the target. */
export type OnConnect = (target: string, socket: Socket) => void;

/** Starts the proxy for one test on 127.0.0.1. */
export async function startProxy(t: TestContext, onConnect: OnConnect = tunnel): Promise<TestProxy> {
  const [targets, headers, others]: [string[], http.IncomingHttpHeaders[], string[]] = [[], [], []];
  const sockets = new Set<Socket>();
  let [open, most] = [0, 0];
  const server = http.createServer((request, response) => {
    others.push(`${request.method} ${request.url}`);
    response.end();
  });
  server.on('connect', (request: http.IncomingMessage, socket: Socket) => {
    targets.push(request.url ?? '');
    headers.push(request.headers);
    sockets.add(socket);
    most = Math.max(most, ++open);
    socket.on('error', () => {}).once('close', () => (open -= 1));
    onConnect(request.url ?? '', socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close().closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { url, targets, headers, others, mostAtOnce: () => most };
}

function tunnel(target: string, socket: Socket): void {
  const { hostname, port } = new URL(`http://${target}`);
  const source = net.connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''));
  source.once('connect', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(source).pipe(socket);
  });
  source.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  source.once('close', () => socket.destroy());
  socket.once('close', () => source.destroy());
}
