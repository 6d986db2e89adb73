/** B18: a client that does not wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Drill, Mismatch } from './line.ts';

/** Leaves in the middle of a fetch; the source has to see its connection close. */
export async function hangUp({ endpoint, origin }: Drill): Promise<string> {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  const page = origin.page((_request, response) => {
    response.once('close', () => closed.resolve(performance.now()));
    arrived.resolve();
  });
  const leaving = new AbortController();
  const body = JSON.stringify({ url: page.url });
  const headers = { 'Content-Type': 'application/json' };
  const asking = endpoint.ask(endpoint.predictPath, { method: 'POST', headers, body, signal: leaving.signal });
  const answered = asking.then(
    (came) => new Mismatch(`${came.status} before the source was asked`),
    () => undefined,
  );
  const early = await Promise.race([arrived.promise, answered]);
  if (early) throw early;
  const leftMs = performance.now();
  leaving.abort();
  await answered;
  const endedMs = await Promise.race([closed.promise, sleep(2000, undefined, { ref: false })]);
  if (endedMs === undefined) throw new Mismatch('the fetch goes on 2 s later');
  return `ended after ${Math.round(endedMs - leftMs)} ms`;
}
