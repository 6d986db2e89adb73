/** Sends all groups, as many at a time as the pace allows, and sends again what may be answered later. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Group } from './item.ts';
import type { Pace } from './pace.ts';
import { Refused } from './refused.ts';
import { type Row, rowOf } from './row.ts';
import type { Retry, Sent } from './send.ts';

/** After so many tries between which the gateway answered others, an item has failed. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 250;

export type WorkOptions = {
  readonly pace: Pace;
  readonly send: (group: Group) => Promise<Sent>;
  readonly onRows: (rows: readonly Row[]) => void;
  /** Called with the reason when everything waits. */
  readonly onBusy: (why: string) => void;
  /** Without an answer for this long the batch stops. */
  readonly waitMs: number;
  /** No new request is sent once it is aborted. */
  readonly signal: AbortSignal;
};

/** A group that was sent before. `answers`: how many there had been by then. */
type Waiting = {
  readonly group: Group;
  readonly tries: number;
  readonly answers: number;
  readonly notBeforeMs: number;
};

/**
 * Resolves when every item has a row, or when the signal is aborted and all that was sent is answered. Throws Refused, also when
 * the gateway gave no prediction for `waitMs`.
 */
export async function work(groups: AsyncIterator<Group>, options: WorkOptions): Promise<void> {
  const { pace, send, onRows, onBusy, waitMs, signal } = options;
  const waiting: Waiting[] = [];
  const active = new Set<Promise<void>>();
  let answers = 0;
  let lastAnswerMs = performance.now();
  let failure: unknown;

  const settle = (sent: Sent, ms: number, tries: number) => {
    if (sent.rows.length > 0) onRows(sent.rows);
    const { retry, halves = [] } = sent;
    if (retry?.isBusy) pace.refused(retry.retryAfterMs);
    else pace.answered(ms);
    if (!retry?.isBusy) {
      answers += 1;
      lastAnswerMs = performance.now();
    }
    for (const group of halves) waiting.push({ group, tries: 0, answers, notBeforeMs: 0 });
    if (!retry) return;
    if (retry.isBusy) onBusy(retry.error.detail);
    if (retry.isSuspect && tries >= MOST_TRIES) onRows(failedRows(retry));
    else
      waiting.push({
        group: retry.group,
        tries,
        answers,
        notBeforeMs: performance.now() + FIRST_PAUSE_MS * 2 ** tries,
      });
    const waitedMs = performance.now() - lastAnswerMs;
    if (retry.isBusy && waitedMs + (retry.retryAfterMs ?? 0) > waitMs) {
      throw new Refused(`no prediction for ${Math.round(waitedMs / 1000)} s: ${retry.error.detail}`);
    }
  };
  const start = (group: Group, tries: number) => {
    const startMs = performance.now();
    pace.sent();
    const one = send(group)
      .then((sent) => settle(sent, performance.now() - startMs, tries))
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => active.delete(one));
    active.add(one);
  };

  let isRead = false;
  while (failure === undefined && !signal.aborted) {
    if (pace.isFull) {
      await Promise.race(active);
      continue;
    }
    if (!(await pauseOver(pace, signal))) break;
    const at = waiting.findIndex(({ notBeforeMs }) => notBeforeMs <= performance.now());
    const [again] = at >= 0 ? waiting.splice(at, 1) : [];
    if (again) {
      // A try counts only if the gateway has answered others meanwhile: otherwise the gateway is to blame.
      start(again.group, again.tries + (answers > again.answers ? 1 : 0));
      continue;
    }
    const next = isRead ? undefined : await groups.next();
    if (next && !next.done) start(next.value, 0);
    else {
      isRead = true;
      if (active.size === 0 && waiting.length === 0) break;
      await Promise.race([...active, ...(waiting.length > 0 ? [sleep(FIRST_PAUSE_MS)] : [])]);
    }
  }
  await Promise.all(active);
  if (failure !== undefined) throw failure;
}

const failedRows = ({ group, error }: Retry) => group.map((item) => rowOf(item, { error }));

/** False if the signal was aborted in the pause. */
async function pauseOver(pace: Pace, signal: AbortSignal): Promise<boolean> {
  try {
    await pace.pauseOver(signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
