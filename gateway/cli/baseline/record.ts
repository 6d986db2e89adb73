/** Starts a gateway, sends it the data, and reads the prediction log that it writes. */
import { openInput } from '../batch/input/open.ts';
import { groupsOf } from '../batch/item.ts';
import { askModel } from '../batch/model.ts';
import { Pace } from '../batch/pace.ts';
import { type Counts, showProgress } from '../batch/progress.ts';
import { Refused } from '../batch/refused.ts';
import type { Row, RowError } from '../batch/row.ts';
import type { Scratch } from '../batch/scratch.ts';
import { send } from '../batch/send.ts';
import { surveyOf } from '../batch/survey.ts';
import { work } from '../batch/work.ts';
import { type AskedModel, predictAddress } from '../gateway/address.ts';
import { startOwnGateway } from '../gateway/own.ts';

const AT_ONCE = 64;
const INSTANCES_OF_REQUEST = 16;
const REQUEST_TIMEOUT_MS = 300_000;
const WAIT_MS = 900_000;

export type Recorded = {
  /** The folder of the log. */
  readonly log: string;
  readonly predicted: number;
  /** The items without a prediction, and why the first of them has none. */
  readonly failed: number;
  readonly firstError?: RowError | undefined;
};

/**
 * Predicts all items of DATA. The gateway has the settings of the environment: its model servers, or the embedded one. Throws
 * ConfigError, and Refused if it cannot predict them.
 */
export async function recordData(
  data: string,
  asked: AskedModel,
  settings: Readonly<Record<string, string>>,
  scratch: Scratch,
): Promise<Recorded> {
  const log = await scratch.file('log');
  const all = { ...settings, PREDICTION_LOG: log, PREDICTION_LOG_SAMPLE: '100%' };
  await using own = await startOwnGateway(all);
  const { texts } = await askModel(own.url, asked.model, {});
  const input = await openInput(data, { texts, scratch });
  const { total } = await surveyOf(input, data);
  const target = { url: predictAddress(own.url, '', asked), headers: {}, timeoutMs: REQUEST_TIMEOUT_MS };
  const pace = new Pace(AT_ONCE);
  const counts = { done: 0, total, errors: 0 };
  let firstError: RowError | undefined;
  const onRows = (rows: readonly Row[]) => {
    const errors = rows.flatMap(({ error }) => error ?? []);
    counts.done += rows.length;
    counts.errors += errors.length;
    firstError ??= errors[0];
  };
  {
    using _progress = showProgress((): Counts => ({ ...counts, limit: pace.limit }));
    await work(
      groupsOf(input.items(), () => true, INSTANCES_OF_REQUEST),
      {
        pace,
        waitMs: WAIT_MS,
        signal: own.ended,
        send: (group) => send(group, target),
        onRows,
        onBusy: () => undefined,
      },
    );
  }
  if (own.ended.aborted) throw new Refused('the gateway of this command ended; its message is above');
  return { log, predicted: counts.done - counts.errors, failed: counts.errors, firstError };
}
