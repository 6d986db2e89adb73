/** Names of hosts. */
import { isIP } from 'node:net';

/** Whether a normalised host is an address or can be a DNS name (RFC 1035, 2.3.4): the lengths of its labels. */
export function isHostName(host: string): boolean {
  if (isIP(host) !== 0) return true;
  return host.length <= 253 && host.split('.').every(({ length }) => length >= 1 && length <= 63);
}
