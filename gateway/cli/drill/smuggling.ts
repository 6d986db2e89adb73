/** D7: request smuggling, a second request hidden behind the first. */
import { type Drill, Mismatch } from './check.ts';
import { rawHead, sendRaw } from './raw.ts';

const JSON_TYPE = 'Content-Type: application/json';

/** Sends requests whose end two servers may see at different bytes (RFC 9112, 6.3 and 11.2). */
export async function smuggling({ endpoint }: Drill): Promise<string> {
  const second = `GET ${endpoint.targetOf('/drill-smuggled')} HTTP/1.1\r\nHost: ${endpoint.url.host}\r\n\r\n`;
  const requests = {
    'length and chunks': `${rawHead(endpoint, JSON_TYPE, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    'two lengths': `${rawHead(endpoint, JSON_TYPE, 'Content-Length: 2', 'Content-Length: 40')}{}`,
    'unknown coding': `${rawHead(endpoint, JSON_TYPE, 'Transfer-Encoding: xchunked')}0\r\n\r\n`,
    'space before the colon': `${rawHead(endpoint, JSON_TYPE, 'Content-Length : 2')}{}`,
    'bare LF': `${rawHead(endpoint, JSON_TYPE, 'Content-Length: 2').replaceAll('\r\n', '\n')}{}`,
    'folded length': `${rawHead(endpoint, JSON_TYPE, 'X-A: b\r\n Content-Length: 40', 'Content-Length: 2')}{}`,
  };
  for (const [name, request] of Object.entries(requests)) {
    const { statuses, closed } = await sendRaw(endpoint, [request + second], { timeoutMs: 5000 });
    if (statuses.length > 1)
      throw new Mismatch(`${name}: ${statuses.join(' and ')}: the second request was answered too`);
    if (statuses.length === 1 && statuses[0] !== 400 && statuses[0] !== 501)
      throw new Mismatch(`${name}: ${statuses[0]}, not 400`);
    if (!closed) throw new Mismatch(`${name}: the connection stays open`);
  }
  return '400 and closed';
}
