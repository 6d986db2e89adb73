/** Where a redirect leads. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';
import { Refusal } from './finding.ts';
import { parseSourceUrl, refuseUserinfo } from './source-url.ts';

const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

export const isRedirect = ({ statusCode }: IncomingMessage): boolean => REDIRECTS.has(statusCode);

/** The target of a redirect. An invalid target is the source's failure (`source_failed`), not the client's. */
export function redirectTarget({ headers: { location } }: IncomingMessage, from: URL): URL {
  if (location === undefined) throw new GatewayError('source_failed', 'the source redirects without a Location');
  const to = parseLocation(location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new Refusal({ rule: 'downgrade', text: 'redirect from https to http' });
  return to;
}

function parseLocation(location: string, from: URL): URL {
  try {
    const to = parseSourceUrl(escapeBytes(location), from);
    refuseUserinfo(to);
    return to;
  } catch (cause) {
    throw new GatewayError('source_failed', 'the source redirects to an invalid URL', { cause });
  }
}

/**
 * A Location as browsers read it: every byte above ASCII percent-encoded. UTF-8 becomes the characters that were meant,
 * and a server with another charset gets back the bytes that it sent. Node gives each byte as one character.
 */
function escapeBytes(location: string): string {
  return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
