/** Finds out why model servers cannot be reached: connects to each as gRPC would, and looks at what comes back. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseBackends } from './resolver.ts';
import type { BackendTls } from './tls.ts';

const TIMEOUT_MS = 2000;

/** The start of an HTTP/2 connection: the preface and empty SETTINGS (RFC 9113, 3.4). */
const HTTP2 = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const HTTP1_MARK = Buffer.from('HTTP/');
const HTTP1 = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

/** Offset and value of the type of a SETTINGS frame. */
const FRAME_TYPE_AT = 3;
const SETTINGS = 4;
/** The first byte of a TLS alert, which a TLS server answers to plain text. */
const TLS_ALERT = 0x15;

const BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name cannot be resolved',
  EAI_AGAIN: 'the name cannot be resolved',
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  ETIMEDOUT: 'no answer: is a firewall in between?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS: unset TF_SERVING_CA_FILE',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** One part for each server in the list: its address and the reason. For operators only: it has addresses. */
export async function diagnose(backends: string, tls?: BackendTls): Promise<string> {
  const servers = parseBackends(backends);
  const [first] = servers;
  // As in gRPC: every server's certificate has to have the first name of the list.
  const servername = hostAndPort(first?.path ?? '').host;
  const parts = servers.map(async ({ scheme, path }) => {
    const to = scheme === 'unix' ? { path } : hostAndPort(path);
    const open = () => (tls ? connectTls({ ...to, ...tls.files, servername, ALPNProtocols: ['h2'] }) : connect(to));
    return `${scheme === 'unix' ? 'unix:' : ''}${path}: ${await reasonOf(open)}`;
  });
  return (await Promise.all(parts)).join('; ');
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

async function reasonOf(open: () => Socket): Promise<string> {
  try {
    const answer = await exchange(open(), HTTP2);
    if (answer[FRAME_TYPE_AT] === SETTINGS) return 'it answers now';
    if (answer[0] === TLS_ALERT) return 'expects TLS: set TF_SERVING_CA_FILE';
    const isHttp1 = [answer, await exchange(open(), HTTP1)].some((bytes) => bytes.subarray(0, 5).equals(HTTP1_MARK));
    if (isHttp1) return 'speaks HTTP/1.1: is it the REST port? gRPC is 8500 by default (Triton: 8001)';
    return answer.length === 0
      ? 'ends the connection without an answer: does it expect TLS (TF_SERVING_CA_FILE)?'
      : 'does not speak HTTP/2';
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return `${BY_CODE[code] ?? message}${code && ` (${code})`}`;
  }
}

/** Sends bytes and resolves with the first ones that come back, none if the server closes. Rejects with a code. */
function exchange(socket: Socket, bytes: Buffer): Promise<Buffer> {
  return new Promise<Buffer>((resolve, reject) => {
    socket.setTimeout(TIMEOUT_MS, () => reject(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })));
    socket.once('error', reject);
    socket.once('data', resolve);
    socket.once('close', () => resolve(Buffer.alloc(0)));
    socket.write(bytes);
  }).finally(() => socket.destroy());
}
