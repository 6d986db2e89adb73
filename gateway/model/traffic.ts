/**
 * The split of requests between the stable version and the canary. The side of a request is a hash of its key, so all
 * replicas agree without shared state. A key stays with the canary while the share grows.
 */
import { hash } from 'node:crypto';
import type { RequestContext } from '../domain/request.ts';
import type { StickyKey, Traffic } from '../domain/traffic.ts';

/** What of a request chooses its side. */
export type Splitting = Partial<Pick<RequestContext, 'id' | 'sent'>>;

/** What is no prediction has no id, and is on the stable side. So is a request whose key is in its body, until that is read. */
export function roleOf(
  model: string,
  { canary, sticky }: Pick<Traffic, 'canary' | 'sticky'>,
  { id, sent }: Splitting,
): 'stable' | 'canary' {
  if (!canary || (sticky?.from === 'instance' && sent?.instanceId === undefined)) return 'stable';
  const key = stickyKey(sticky, sent) ?? id;
  return key !== undefined && placeOf(model, key) < canary.share ? 'canary' : 'stable';
}

/** The place of a key, from 0 to below 1: the first 48 bits of a SHA-256. With the model's name models split independently. */
export function placeOf(model: string, key: string): number {
  return Number.parseInt(keyHash(model, key).slice(0, 12), 16) / 2 ** 48;
}

/** What a log may have of a sticky key: 64 bits of the SHA-256 whose first 48 are its place. Undefined without a key. */
export function stickyKeyHash(model: string, { sticky }: Traffic, { sent }: Splitting): string | undefined {
  const key = stickyKey(sticky, sent);
  return key === undefined ? undefined : keyHash(model, key).slice(0, 16);
}

function keyHash(model: string, key: string): string {
  return hash('sha256', `${model}\0${key}`);
}

function stickyKey(sticky: StickyKey | undefined, sent: Splitting['sent']): string | undefined {
  if (!sticky || !sent) return undefined;
  const key = sticky.from === 'instance' ? sent.instanceId : sent[sticky.from](sticky.name);
  return key || undefined;
}
