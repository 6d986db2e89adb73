/** Makes the lines of a prediction: one for each picture or row. */
import type { PictureStatistics } from '../../domain/picture.ts';
import type { Steps } from '../../domain/steps.ts';
import { sniff } from '../../image/sniff.ts';
import { givenIdOf } from '../../pipeline/given-ids.ts';
import { classesOf, NO_CLASSES, rounded } from './classes.ts';
import { sha256 } from './digest.ts';
import type { Held, HeldPicture } from './held.ts';
import { publicUrl } from './redact.ts';
import { type FeedbackLine, type PredictionLine, SCHEMA_VERSION } from './schema.ts';
import type { Subject } from './subject.ts';
import { type Rows, rowsIn } from './tensors.ts';

/** Adds a line, without its line feed. */
export type AddLine = (line: string) => void;

/** Rows of one step: less than a millisecond. */
const ROWS_OF_STEP = 32;

const SHOWN = () => false;

type Parts = {
  readonly held: Held;
  readonly subject: Subject;
  /** The members that all lines of the request share, as JSON without the closing brace. */
  readonly head: string;
};

/** Adds the lines in the order of the instances. Yields after a millisecond or two. */
export function* predictionLines(held: Held, subject: Subject, add: AddLine): Steps<void> {
  const parts = { held, subject, head: headJson(held) };
  if (held.kind === 'relayed') return add(relayedLine(parts, held));
  if (held.kind === 'pictures') {
    for (const picture of held.pictures) {
      add(yield* pictureLine(parts, picture, held.count));
      yield;
    }
    return undefined;
  }
  const { rows } = held;
  const inputs = rowsIn(held.inputs, rows, subject.redaction.hides);
  const outputs = rowsIn(held.outputs, rows, SHOWN);
  for (let row = 0; row < rows; row += 1) {
    const input = `{"kind":"tensors",${yield* inputs.json(row)}}`;
    add(yield* answeredLine(parts, { row, rows, input, outputs }));
    if (row % ROWS_OF_STEP === ROWS_OF_STEP - 1) yield;
  }
}

function* pictureLine(parts: Parts, picture: HeldPicture, rows: number): Steps<string> {
  const { bytes, isRow, length, url, row, outputs, statistics } = picture;
  const sniffed = bytes && !isRow ? sniff(bytes) : undefined;
  const header = sniffed && 'header' in sniffed ? sniffed.header : undefined;
  const input = {
    kind: 'picture',
    sha256: bytes ? yield* sha256(bytes) : null,
    bytes: length,
    format: sniffed?.format ?? null,
    width: header?.width ?? null,
    height: header?.height ?? null,
    url: url === undefined || parts.subject.redaction.hides('url') ? null : publicUrl(url),
    statistics: statistics ? roundedStatistics(statistics) : null,
  } satisfies PredictionLine['input'];
  const rowOutputs = rowsIn(outputs, undefined, SHOWN);
  return yield* answeredLine(parts, { row, rows, input: JSON.stringify(input), outputs: rowOutputs });
}

function roundedStatistics({ brightness, contrast, sharpness }: PictureStatistics): PictureStatistics {
  return { brightness: rounded(brightness), contrast: rounded(contrast), sharpness: rounded(sharpness) };
}

type Answered = {
  readonly row: number;
  readonly rows: number;
  /** As JSON. */
  readonly input: string;
  readonly outputs: Rows;
};

function* answeredLine(parts: Parts, { row, rows, input, outputs }: Answered): Steps<string> {
  const classes = JSON.stringify(classesOf((name) => outputs.tensor(name, row), parts.subject.meaning)).slice(1, -1);
  const named = yield* outputs.json(row);
  return `${parts.head},${rowJson(parts, row, rows)},"input":${input},${classes},"outputs":{${named}}}`;
}

/** Of tensors that were passed on unread only the sizes are known. */
function relayedLine(parts: Parts, { rows, requestBytes, answerBytes }: Extract<Held, { kind: 'relayed' }>): string {
  const input = { kind: 'relayed', rows, bytes: requestBytes } satisfies PredictionLine['input'];
  const rest = { input, ...NO_CLASSES, outputs: { bytes: answerBytes } };
  return `${parts.head},${rowJson(parts, 0, 1)},${JSON.stringify(rest).slice(1)}`;
}

function headJson({ time, requestId, traceId, route, routed, signature, times }: Held): string {
  const timings: Record<string, number> = {};
  for (const [stage, ms] of times) timings[`${stage}_ms`] = Math.round(ms * 100) / 100;
  const head = {
    kind: 'prediction',
    schema: SCHEMA_VERSION,
    time: time.toISOString(),
    request_id: requestId,
    trace_id: traceId,
    model: routed.card.name,
    version: routed.version,
    signature,
    route,
    traffic: null,
    timings,
  } satisfies Partial<PredictionLine>;
  return JSON.stringify(head).slice(0, -1);
}

function rowJson({ held, subject }: Parts, row: number, rows: number): string {
  const ids = held.kind === 'relayed' ? undefined : held.ids;
  const isHidden = subject.redaction.hides('id');
  const givenId = isHidden ? undefined : givenIdOf(ids, row, subject.card.record?.id);
  const id = givenId ?? (rows === 1 ? held.requestId : `${held.requestId}[${row}]`);
  const own = { row, id, given_id: givenId ?? null } satisfies Partial<PredictionLine>;
  return JSON.stringify(own).slice(1, -1);
}

export type Feedback = { readonly id: string; readonly label: string };

/** The line of a label. */
export function feedbackLine(
  { id, label }: Feedback,
  request: { readonly id: string; readonly traceId: string },
): string {
  const line: FeedbackLine = {
    kind: 'feedback',
    schema: SCHEMA_VERSION,
    time: new Date().toISOString(),
    id,
    request_id: request.id,
    trace_id: request.traceId,
    label,
  };
  return JSON.stringify(line);
}
