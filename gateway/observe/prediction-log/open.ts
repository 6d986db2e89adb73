/** The prediction log: a line for each prediction and each label, written beside the requests. */

import { createLoopQueue } from '../../domain/loop-queue.ts';
import type { Log, RequestContext } from '../../domain/request.ts';
import type { Steps } from '../../domain/steps.ts';
import type { OnPredicted } from '../../pipeline/predicted.ts';
import type { Comparison } from '../../traffic/copies.ts';
import { type Destination, LineBuffer, type Outcome } from './buffer.ts';
import { comparisonLines } from './comparison-lines.ts';
import { type Held, heldBytes, hold, isSmall, lineCount, view } from './held.ts';
import { type Feedback, feedbackLine, predictionLines } from './lines.ts';
import { type Judged, RecentPredictions } from './recent.ts';
import { isInSample } from './sample.ts';
import { createSubjects } from './subject.ts';

/** Predictions whose lines are not made yet, by their copied bytes. Further ones are dropped. */
const MAX_HELD_BYTES = 32 * 2 ** 20;
/** What the lines may take of a turn of the event loop. */
const SHARE_MS = 2;
/** A stop waits so long for the last lines. */
const CLOSE_MS = 2000;

export type PredictionLogOptions = {
  readonly destination: Destination;
  /** The part of the requests that are logged, from 0 to 1. */
  readonly share: number;
  readonly log: Log;
  readonly onOutcome: (outcome: Outcome, lines: number) => void;
  /** Called for a label that will be written, compared with its prediction. */
  readonly onLabel: (judged: Judged) => void;
};

export type PredictionLog = {
  readonly onPredicted: OnPredicted;
  /** Adds what two versions said of a request, where the request is in the log. */
  addComparison(comparison: Comparison): void;
  /** Adds the label of a prediction. False where there is no room. */
  addFeedback(feedback: Feedback, context: Pick<RequestContext, 'id' | 'trace'>): boolean;
  /** Writes what waits, in a few seconds at most. */
  close(): Promise<void>;
};

/** Opens the log. A small request pays for its lines, a large one for the copy of its input and output. */
export function openPredictionLog(options: PredictionLogOptions): PredictionLog {
  const { destination, share, log, onOutcome, onLabel } = options;
  const buffer = new LineBuffer({ destination, onOutcome, onTrouble: tellTrouble(log) });
  const recent = new RecentPredictions();
  const subjectOf = createSubjects();
  const inLaterTurns = createLoopQueue(SHARE_MS);
  let heldNow = 0;

  function linesOf(held: Held): Steps<void> {
    const { card, version } = held.routed;
    return predictionLines(held, subjectOf(held.routed, held.signature), (line, { id, class: predicted }) => {
      buffer.add(line);
      if (predicted !== null) recent.add(id, { model: card.name, version, class: predicted });
    });
  }

  const onPredicted: OnPredicted = (predicted, context) => {
    if (!isInSample(context.id, share)) return;
    if (isSmall(predicted)) {
      const steps = linesOf(view(predicted, context));
      while (!isDone(steps, log));
      return;
    }
    const bytes = heldBytes(predicted);
    if (heldNow + bytes > MAX_HELD_BYTES) {
      onOutcome('buffer_full', lineCount(predicted));
      return;
    }
    heldNow += bytes;
    const steps = linesOf(hold(predicted, context));
    const step = () => {
      if (isDone(steps, log)) heldNow -= bytes;
      else inLaterTurns(step);
    };
    inLaterTurns(step);
  };

  return {
    onPredicted,
    addComparison(comparison) {
      if (!isInSample(comparison.requestId, share)) return;
      for (const line of comparisonLines(comparison)) buffer.add(line);
    },
    addFeedback(feedback, { id, trace }) {
      if (!buffer.add(feedbackLine(feedback, { id, traceId: trace.id }))) return false;
      const judged = recent.judge(feedback.id, feedback.label);
      if (judged) onLabel(judged);
      return true;
    },
    async close() {
      while (heldNow > 0) await new Promise((resolve) => setImmediate(resolve));
      await buffer.close(CLOSE_MS).catch((cause) => log.error({ cause }, 'the prediction log could not be closed'));
    },
  };
}

/** Does one step. A prediction whose lines cannot be made is a mistake of this code: it must not end the process. */
function isDone(steps: Steps<void>, log: Log): boolean {
  try {
    return steps.next().done === true;
  } catch (cause) {
    log.error({ cause }, 'the lines of a prediction could not be made');
    return true;
  }
}

/** Tells of trouble once, and of its end. */
function tellTrouble(log: Log): (cause: unknown) => void {
  return (cause) => {
    if (cause === undefined) log.info({}, 'the prediction log is written again');
    else log.error({ cause }, 'the prediction log cannot be written: its lines are dropped until it can');
  };
}
