/** From alerts to runs: what matches goes to the queue, and each run to the log, the metrics and the state of health. */
import type { Logger } from 'pino';
import { type RunResult, runCommand } from './command.ts';
import type { Matches } from './match.ts';
import { type Alert, nameOf } from './message.ts';
import { createHookMetrics, type HookMetrics } from './metrics.ts';
import { type Outcome, RetrainQueue } from './queue.ts';

export type HookOptions = {
  readonly command: readonly string[];
  readonly matches: Matches;
  readonly cooldownMs: number;
  /** For one run. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly log: Logger;
};

/** A run that has ended, as health shows it. */
type Ended = {
  readonly outcome: RunResult['outcome'];
  readonly exit_code: number | null;
  readonly alerts: readonly Readonly<Record<string, string>>[];
  readonly started: string;
  readonly ended: string;
};

export type Hook = {
  readonly log: Logger;
  readonly metrics: HookMetrics;
  /** Takes the alerts of a message. Returns how many became what. */
  receive(alerts: readonly Alert[]): Partial<Record<Outcome, number>>;
  health(): {
    readonly status: RetrainQueue['state'];
    readonly alerts_waiting: number;
    readonly last_run: Ended | null;
  };
  /** Starts no more runs, stops the one in progress, and resolves when it has ended. */
  stop(): Promise<void>;
};

export function createHook({ matches, cooldownMs, timeoutMs, log, ...options }: HookOptions): Hook {
  const stopping = new AbortController();
  let runs = 0;
  let lastRun: Ended | null = null;

  async function run(alerts: readonly Alert[]): Promise<void> {
    runs += 1;
    const runLog = log.child({ run: runs });
    const labels = alerts.map((alert) => alert.labels);
    const start = Date.now();
    runLog.info({ command: options.command, alerts: labels }, 'run started');
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]);
    const result = await runCommand(alerts, { ...options, log: runLog, signal });
    const end = Date.now();
    metrics.countRun(result, end - start);
    const { outcome, exitCode } = result;
    const shown = { outcome, exit_code: exitCode };
    lastRun = { ...shown, alerts: labels, started: new Date(start).toISOString(), ended: new Date(end).toISOString() };
    const level = outcome === 'failed' || signal.reason?.name === 'TimeoutError' ? 'error' : 'info';
    runLog[level]({ ...shown, seconds: (end - start) / 1000 }, 'run ended');
  }

  const queue = new RetrainQueue({ cooldownMs, run });
  const metrics = createHookMetrics(() => queue);

  function outcomeOf(alert: Alert): Outcome {
    const outcome = matches(alert) ? queue.add(alert) : 'unmatched';
    metrics.countAlert(outcome);
    log.info({ alert: nameOf(alert), labels: alert.labels, status: alert.status, outcome }, 'alert received');
    return outcome;
  }

  return {
    log,
    metrics,
    receive(alerts) {
      const outcomes: Partial<Record<Outcome, number>> = {};
      for (const outcome of alerts.map(outcomeOf)) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      queue.startNext();
      return outcomes;
    },
    health: () => ({ status: queue.state, alerts_waiting: queue.waiting, last_run: lastRun }),
    async stop() {
      stopping.abort();
      await queue.stop();
    },
  };
}
