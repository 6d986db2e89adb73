/** B18: a client that disconnects before the response. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Drill, Mismatch } from './check.ts';

/** Aborts the request during the fetch. The source must then see its connection close. */
export async function hangUp({ endpoint, origin }: Drill): Promise<string> {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  const page = origin.page((_request, response) => {
    response.once('close', () => closed.resolve(performance.now()));
    arrived.resolve();
  });
  const client = new AbortController();
  const body = JSON.stringify({ url: page.url });
  const headers = { 'Content-Type': 'application/json' };
  const pending = endpoint.send(endpoint.predictPath, { method: 'POST', headers, body, signal: client.signal });
  const settled = pending.then(
    (response) => new Mismatch(`${response.status} before the source received a request`),
    () => undefined,
  );
  const early = await Promise.race([arrived.promise, settled]);
  if (early) throw early;
  const abortedMs = performance.now();
  client.abort();
  await settled;
  const endedMs = await Promise.race([closed.promise, sleep(2000, undefined, { ref: false })]);
  if (endedMs === undefined) throw new Mismatch('the fetch still runs 2 s after the disconnect');
  return `ended after ${Math.round(endedMs - abortedMs)} ms`;
}
