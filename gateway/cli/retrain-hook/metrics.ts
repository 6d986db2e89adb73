/** The metrics of `tensorgate retrain-hook`. */
import { Counter, Gauge, Registry } from 'prom-client';
import { RUN_OUTCOMES, type RunResult } from './command.ts';
import { OUTCOMES, type Outcome, type RetrainQueue } from './queue.ts';

export type HookMetrics = {
  readonly registry: Registry;
  countAlert(outcome: Outcome): void;
  countRun(result: RunResult, durationMs: number): void;
};

/** Creates the registry. Each series is there from the start, so that `increase()` sees the first alert. */
export function createHookMetrics(queue: () => Pick<RetrainQueue, 'state' | 'waiting'>): HookMetrics {
  const registry = new Registry();
  const registers = [registry];
  const alerts = new Counter({
    name: 'tensorgate_retrain_alerts_total',
    help: 'Alerts received, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const runs = new Counter({
    name: 'tensorgate_retrain_runs_total',
    help: 'Runs of the command that have ended, by how.',
    labelNames: ['outcome'],
    registers,
  });
  const exitCode = new Gauge({
    name: 'tensorgate_retrain_last_exit_code',
    help: 'Exit code of the last run; -1 where it has none.',
    registers,
  });
  const duration = new Gauge({
    name: 'tensorgate_retrain_last_duration_seconds',
    help: 'How long the last run took.',
    registers,
  });
  const success = new Gauge({
    name: 'tensorgate_retrain_last_success_timestamp_seconds',
    help: 'When a run succeeded last, in seconds since 1970; 0 for never.',
    registers,
  });
  new Gauge({
    name: 'tensorgate_retrain_running',
    help: '1 while the command runs.',
    registers,
    collect() {
      this.set(Number(queue().state === 'running'));
    },
  });
  new Gauge({
    name: 'tensorgate_retrain_alerts_waiting',
    help: 'Alerts that wait for the next run.',
    registers,
    collect() {
      this.set(queue().waiting);
    },
  });
  for (const outcome of OUTCOMES) alerts.inc({ outcome }, 0);
  for (const outcome of RUN_OUTCOMES) runs.inc({ outcome }, 0);
  return {
    registry,
    countAlert: (outcome) => alerts.inc({ outcome }),
    countRun({ outcome, exitCode: code }, durationMs) {
      runs.inc({ outcome });
      exitCode.set(code ?? -1);
      duration.set(durationMs / 1000);
      if (outcome === 'succeeded') success.setToCurrentTime();
    },
  };
}
