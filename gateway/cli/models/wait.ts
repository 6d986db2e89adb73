/** Waits until the model servers have applied a change in a model's folder, and prints their progress. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from '../output.ts';
import { ModelsError } from './failure.ts';
import type { Goal } from './goals.ts';
import type { Report, Servers } from './servers.ts';

/** Short enough to see most states; no load for a server. */
const POLL_MS = 200;

/** The result of a command, as JSON and as text. */
export type Result = { readonly value: { readonly model: string }; readonly text: string };

export type WaitOptions = {
  readonly servers: Servers;
  readonly timeoutMs: number;
  readonly goal: Goal;
};

/**
 * Prints a command's result. With `waitOptions` it waits until every server has reached the goal, and adds their last
 * reports. Throws `notLoaded` with the server's error, or `timedOut`; the result is printed before.
 */
export async function printResult(result: Result, waitOptions: WaitOptions | undefined, output: Output): Promise<void> {
  if (!waitOptions) return output.result(result.value, result.text);
  output.progress(result.text);
  const { reports, error } = await waitForServers(result.value.model, waitOptions, output);
  const addresses = reports.map(({ address }) => address).join(', ');
  const value = { ...result.value, servers: reports, ...(error && { error: error.message }) };
  output.result(value, error ? result.text : `${result.text}; AVAILABLE on ${addresses}`);
  if (error) throw error;
}

type WaitOutcome = { readonly reports: readonly Report[]; readonly error?: ModelsError };

async function waitForServers(model: string, waitOptions: WaitOptions, output: Output): Promise<WaitOutcome> {
  const { servers, timeoutMs, goal } = waitOptions;
  const endMs = performance.now() + timeoutMs;
  const printed = new Map<string, string>();
  for (;;) {
    const reports = await servers.ask(model);
    const progress = reports.map((report) => ({ address: report.address, ...goal(report) }));
    for (const { address, text } of progress) {
      if (printed.get(address) !== text) output.progress(`${address}: ${text}`);
      printed.set(address, text);
    }
    const failed = progress.find(({ state }) => state === 'failed');
    if (failed) return { reports, error: new ModelsError('notLoaded', `${failed.address}: ${failed.text}`) };
    const missing = progress.filter(({ state }) => state === 'waiting');
    if (missing.length === 0) return { reports };
    if (performance.now() >= endMs) {
      const last = missing.map(({ address, text }) => `${address}: ${text}`).join('; ');
      return { reports, error: new ModelsError('timedOut', `not reached within ${timeoutMs / 1000} s: ${last}`) };
    }
    await sleep(Math.min(POLL_MS, Math.max(0, endMs - performance.now())));
  }
}
