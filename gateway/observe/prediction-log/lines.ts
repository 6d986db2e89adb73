/** Makes the lines of a prediction: one for each picture or row. */
import type { Steps } from '../../domain/steps.ts';
import { sniff } from '../../image/sniff.ts';
import { givenIdOf } from '../../pipeline/given-ids.ts';
import { classesOf, type Meaning, meaningOf } from './classes.ts';
import { sha256 } from './digest.ts';
import type { Held, HeldPicture } from './held.ts';
import { publicUrl, type Redaction, redactionOf } from './redact.ts';
import { type FeedbackLine, type PredictionLine, SCHEMA_VERSION } from './schema.ts';
import { type Rows, rowsIn } from './tensors.ts';

/** Adds a line, without its line feed. */
export type AddLine = (line: string) => void;

/** Rows of one step: less than a millisecond. */
const ROWS_OF_STEP = 32;

const SHOWN = () => false;

type Parts = { readonly held: Held; readonly redaction: Redaction; readonly meaning: Meaning };

/** Adds the lines in the order of the instances. Yields after a millisecond or two. */
export function* predictionLines(held: Held, add: AddLine): Steps<void> {
  const { card } = held.routed;
  const parts = { held, redaction: redactionOf(card), meaning: meaningOf(held.routed, held.signature) };
  if (held.kind === 'relayed') return add(relayedLine(parts, held));
  if (held.kind === 'pictures') {
    for (const picture of held.pictures) {
      add(yield* pictureLine(parts, picture, held.count));
      yield;
    }
    return undefined;
  }
  const { rows } = held;
  const inputs = rowsIn(held.inputs, rows, parts.redaction.hides);
  const outputs = rowsIn(held.outputs, rows, SHOWN);
  for (let row = 0; row < rows; row += 1) {
    const input = `{"kind":"tensors",${yield* inputs.json(row)}}`;
    add(yield* answeredLine(parts, { row, rows, input, outputs }));
    if (row % ROWS_OF_STEP === ROWS_OF_STEP - 1) yield;
  }
}

function* pictureLine(parts: Parts, picture: HeldPicture, rows: number): Steps<string> {
  const { bytes, isRow, length, url, row, outputs } = picture;
  const sniffed = bytes && !isRow ? sniff(bytes) : undefined;
  const header = sniffed && 'header' in sniffed ? sniffed.header : undefined;
  const input = {
    kind: 'picture',
    sha256: bytes ? yield* sha256(bytes) : null,
    bytes: length,
    format: sniffed?.format ?? null,
    width: header?.width ?? null,
    height: header?.height ?? null,
    url: url === undefined || parts.redaction.hides('url') ? null : publicUrl(url),
  } satisfies PredictionLine['input'];
  const rowOutputs = rowsIn(outputs, undefined, SHOWN);
  return yield* answeredLine(parts, { row, rows, input: JSON.stringify(input), outputs: rowOutputs });
}

type Answered = {
  readonly row: number;
  readonly rows: number;
  /** As JSON. */
  readonly input: string;
  readonly outputs: Rows;
};

function* answeredLine(parts: Parts, { row, rows, input, outputs }: Answered): Steps<string> {
  const classes = JSON.stringify(classesOf((name) => outputs.tensor(name, row), parts.meaning)).slice(1, -1);
  const named = yield* outputs.json(row);
  return `${headJson(parts, row, rows)},"input":${input},${classes},"outputs":{${named}}}`;
}

/** Of tensors that were passed on unread only the sizes are known. */
function relayedLine(parts: Parts, { rows, requestBytes, answerBytes }: Extract<Held, { kind: 'relayed' }>): string {
  const input = { kind: 'relayed', rows, bytes: requestBytes } satisfies PredictionLine['input'];
  const rest = { input, class: null, score: null, scores: null, outputs: { bytes: answerBytes } };
  return `${headJson(parts, 0, 1)},${JSON.stringify(rest).slice(1)}`;
}

/** The members that every prediction has, without the closing brace. */
function headJson({ held, redaction }: Parts, row: number, rows: number): string {
  const { time, requestId, traceId, route, routed, signature, times } = held;
  const { card, version } = routed;
  const ids = held.kind === 'relayed' ? undefined : held.ids;
  const givenId = redaction.hides('id') ? undefined : givenIdOf(ids, row, card.record?.id);
  const timings = Object.fromEntries(Array.from(times, ([stage, ms]) => [`${stage}_ms`, Math.round(ms * 100) / 100]));
  const head: Omit<PredictionLine, 'input' | 'class' | 'score' | 'scores' | 'outputs'> = {
    kind: 'prediction',
    schema: SCHEMA_VERSION,
    time: time.toISOString(),
    id: givenId ?? (rows === 1 ? requestId : `${requestId}[${row}]`),
    request_id: requestId,
    trace_id: traceId,
    row,
    given_id: givenId ?? null,
    model: card.name,
    version,
    signature,
    route,
    traffic: null,
    timings,
  };
  return JSON.stringify(head).slice(0, -1);
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
