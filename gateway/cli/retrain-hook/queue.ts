/** Which alerts wait for a run, and when it starts: one run at a time, one more in the queue, and a pause between. */
import type { Alert } from './message.ts';

/** What became of an alert. `accepted`: a run starts now, or the next one has it. `repeated`: a run has it already. */
export const OUTCOMES = ['accepted', 'repeated', 'resolved', 'unmatched', 'dropped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Of all alerts that wait for the next run. More would not make it a different run. */
const MAX_WAITING = 100;

export type QueueOptions = {
  /** From the end of a run to the start of the next. */
  readonly cooldownMs: number;
  /** Runs the command. Does not throw. */
  readonly run: (alerts: readonly Alert[]) => Promise<void>;
};

/** All alerts that come before the next run are in the queue for that one run. */
export class RetrainQueue {
  readonly #options: QueueOptions;
  /** By fingerprint. */
  readonly #waiting = new Map<string, Alert>();
  /** The alerts of the last run. Alertmanager sends them again and again while they fire. */
  #causes: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;
  #cooldown: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get state(): 'idle' | 'running' | 'cooling down' | 'stopping' {
    if (this.#isStopped) return 'stopping';
    if (this.#running !== undefined) return 'running';
    return this.#cooldown !== undefined ? 'cooling down' : 'idle';
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Adds a firing alert to the next run, and starts that if it may. A resolved alert leaves the queue. */
  add(alert: Alert): Outcome {
    const { fingerprint } = alert;
    if (alert.status === 'resolved') {
      this.#waiting.delete(fingerprint);
      return 'resolved';
    }
    const isKnown = this.state !== 'idle' && this.#causes.has(causeOf(alert));
    if (isKnown || this.#waiting.has(fingerprint)) return 'repeated';
    if (this.#waiting.size >= MAX_WAITING) return 'dropped';
    this.#waiting.set(fingerprint, alert);
    return 'accepted';
  }

  /** Starts a run with all waiting alerts, unless one runs, the pause after the last one lasts, or none waits. */
  startNext(): void {
    if (this.state !== 'idle' || this.#waiting.size === 0) return;
    const alerts = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#causes = new Set(alerts.map(causeOf));
    this.#running = this.#options.run(alerts).then(() => this.#ended());
  }

  #ended(): void {
    this.#running = undefined;
    if (this.#isStopped) return;
    this.#cooldown = setTimeout(() => {
      this.#cooldown = undefined;
      this.startNext();
    }, this.#options.cooldownMs);
  }

  /** Starts no more runs. Resolves when the run in progress has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#cooldown);
    await this.#running;
  }
}

/** An alert that was resolved and fires anew has another start. */
const causeOf = ({ fingerprint, startsAt }: Alert) => `${fingerprint} ${startsAt}`;
