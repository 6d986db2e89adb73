/** DNS messages (RFC 1035, 4): writes a query for addresses, and reads the first addresses of its answer. */
import { randomInt } from 'node:crypto';
import ipaddr from 'ipaddr.js';

/** Record types: RFC 1035, 3.2.2, and RFC 3596. */
export const [A, AAAA] = [1, 28];
const CNAME = 5;
const INTERNET = 1;

const HEADER_BYTES = 12;
const [RESPONSE, TRUNCATED, RECURSION_DESIRED] = [0x8000, 0x0200, 0x0100];
/** Records that are looked at. A connection tries a few addresses only, and real chains have fewer than ten CNAMEs. */
const MAX_RECORDS = 32;
/** RFC 1035, 2.3.4. */
const MAX_NAME_BYTES = 255;

export type Answer = {
  /** RCODE: 0 is success, 3 a name that does not exist. */
  readonly code: number;
  /** The server had more records than the message could take. */
  readonly isTruncated: boolean;
  readonly addresses: readonly string[];
};

/** A query with a random id. It has no EDNS, so that answers over UDP have at most 512 bytes. */
export function writeQuery(host: string, type: number): Buffer {
  const labels = host.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(randomInt(0x10000), 0);
  head.writeUInt16BE(RECURSION_DESIRED, 2);
  head.writeUInt16BE(1, 4);
  return Buffer.concat([head, ...labels, Buffer.of(0, 0, type, 0, INTERNET)]);
}

/**
 * Reads an answer. Undefined for a message that does not answer the query: another id or question. Of a message that is
 * cut short or malformed, it reads the records before the fault. Only addresses of the question's name, or of a name
 * that its CNAMEs lead to, are taken.
 */
export function readAnswer(message: Buffer, query: Buffer): Answer | undefined {
  const isAnswer = message.length >= query.length && message.readUInt16BE(0) === query.readUInt16BE(0);
  if (!isAnswer || !message.subarray(HEADER_BYTES, query.length).equals(query.subarray(HEADER_BYTES))) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & RESPONSE) === 0) return undefined;
  const addresses = [...addressesIn(message, query)];
  return { code: flags & 0x0f, isTruncated: (flags & TRUNCATED) !== 0, addresses };
}

function* addressesIn(message: Buffer, query: Buffer): Iterable<string> {
  const type = query.readUInt16BE(query.length - 4);
  const names = new Set([readName(query, HEADER_BYTES)?.name]);
  const count = Math.min(message.readUInt16BE(6), MAX_RECORDS);
  let record = readRecord(message, query.length);
  for (let read = 0; record && read < count; read += 1, record = readRecord(message, record.end)) {
    if (!names.has(record.owner)) continue;
    const data = message.subarray(record.dataAt, record.end);
    if (record.type === CNAME) names.add(readName(message, record.dataAt)?.name);
    else if (record.type === type && data.length === (type === A ? 4 : 16))
      yield ipaddr.fromByteArray([...data]).toString();
  }
}

type DnsRecord = { readonly owner: string; readonly type: number; readonly dataAt: number; readonly end: number };

/** RFC 1035, 4.1.3. Undefined if the message ends within it. */
function readRecord(message: Buffer, at: number): DnsRecord | undefined {
  const owner = readName(message, at);
  if (!owner || owner.end + 10 > message.length) return undefined;
  const dataAt = owner.end + 10;
  const end = dataAt + message.readUInt16BE(owner.end + 8);
  if (end > message.length) return undefined;
  return { owner: owner.name, type: message.readUInt16BE(owner.end), dataAt, end };
}

/**
 * Reads a name, and where it ends. It can go on at an earlier place of the message (RFC 1035, 4.1.4). Undefined for one
 * that is malformed, too long or without end.
 */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let at = start;
  for (let bytes = 0; bytes <= MAX_NAME_BYTES; ) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      const target = ((length & 0x3f) << 8) | (message[at + 1] ?? 0);
      if (target >= at) return undefined; // each jump leads back, so jumps end
      at = target;
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
      bytes += 1 + length;
    }
  }
  return undefined;
}
