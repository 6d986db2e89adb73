/** Waits until the model servers have taken up what was done in a model's folder, and shows how they get there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from '../output.ts';
import { ModelsError } from './failure.ts';
import type { Judgement } from './judge.ts';
import type { Report, Servers } from './servers.ts';

/** Short enough to see most states, and nothing to a server. */
const POLL_MS = 200;

/** What a command did, for scripts and for people. */
export type Done = { readonly value: { readonly model: string }; readonly text: string };

export type Waiting = {
  readonly servers: Servers;
  readonly timeoutMs: number;
  /** Where a server stands on the way to the goal. */
  readonly judge: (report: Report) => Judgement;
};

/**
 * Prints what a command did; where it waits, after every server has reached the goal, with what each said last. Throws
 * `notLoaded` with the server's own words or `timedOut`, printing the result all the same.
 */
export async function announce(done: Done, waiting: Waiting | undefined, output: Output): Promise<void> {
  if (!waiting) return output.result(done.value, done.text);
  output.progress(done.text);
  const { reports, error } = await waitForServers(done.value.model, waiting, output);
  const addresses = reports.map(({ address }) => address).join(', ');
  const value = { ...done.value, servers: reports, ...(error && { error: error.message }) };
  output.result(value, error ? done.text : `${done.text}; AVAILABLE on ${addresses}`);
  if (error) throw error;
}

type Ending = { readonly reports: readonly Report[]; readonly error?: ModelsError };

async function waitForServers(model: string, waiting: Waiting, output: Output): Promise<Ending> {
  const { servers, timeoutMs, judge } = waiting;
  const endMs = performance.now() + timeoutMs;
  const told = new Map<string, string>();
  for (;;) {
    const reports = await servers.ask(model);
    const judged = reports.map((report) => ({ address: report.address, ...judge(report) }));
    for (const { address, text } of judged) {
      if (told.get(address) !== text) output.progress(`${address}: ${text}`);
      told.set(address, text);
    }
    const failed = judged.find(({ state }) => state === 'failed');
    if (failed) return { reports, error: new ModelsError('notLoaded', `${failed.address}: ${failed.text}`) };
    const missing = judged.filter(({ state }) => state === 'waiting');
    if (missing.length === 0) return { reports };
    if (performance.now() >= endMs) {
      const last = missing.map(({ address, text }) => `${address}: ${text}`).join('; ');
      return { reports, error: new ModelsError('timedOut', `not reached within ${timeoutMs / 1000} s: ${last}`) };
    }
    await sleep(Math.min(POLL_MS, Math.max(0, endMs - performance.now())));
  }
}
