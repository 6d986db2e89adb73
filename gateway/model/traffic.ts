/**
 * The split of requests between the stable version and the canary. The side of a request is a hash of its key, so all
 * replicas agree without shared state. A key stays with the canary while the share grows.
 */
import { hash } from 'node:crypto';
import type { RequestContext } from '../domain/request.ts';
import type { Traffic, TrafficRole } from '../domain/traffic.ts';

/** What of a request chooses its side. */
export type Splitting = Partial<Pick<RequestContext, 'id' | 'sent'>>;

/** The side of a request. What is no prediction has no id, and is on the stable side. */
export function roleOf(model: string, { canary, sticky }: Traffic, { id, sent }: Splitting): TrafficRole {
  if (!canary) return 'stable';
  const key = (sticky && sent?.[sticky.from](sticky.name)) || id;
  return key !== undefined && placeOf(model, key) < canary.share ? 'canary' : 'stable';
}

/** The place of a key, from 0 to below 1: the first 48 bits of a SHA-256. With the model's name models split independently. */
export function placeOf(model: string, key: string): number {
  return hash('sha256', `${model}\0${key}`, 'buffer').readUIntBE(0, 6) / 2 ** 48;
}
