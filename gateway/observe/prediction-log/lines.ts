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

/** Adds a line, without its line feed. `predicted`: what its label is compared with. */
export type AddLine = (line: string, predicted: Pick<PredictionLine, 'id' | 'class'>) => void;

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
  const parts = { held, subject, head: headJson(held, subject) };
  if (held.kind === 'relayed') return addRelayed(parts, held, add);
  if (held.kind === 'pictures') {
    for (const picture of held.pictures) {
      const input = JSON.stringify(yield* pictureInput(parts, picture));
      yield* addAnswered(
        parts,
        { row: picture.row, rows: held.count, input, outputs: rowsIn(picture.outputs, undefined, SHOWN) },
        add,
      );
      yield;
    }
    return undefined;
  }
  const { rows } = held;
  const inputs = rowsIn(held.inputs, rows, subject.redaction.hides);
  const outputs = rowsIn(held.outputs, rows, SHOWN);
  for (let row = 0; row < rows; row += 1) {
    const input = `{"kind":"tensors",${yield* inputs.json(row)}}`;
    yield* addAnswered(parts, { row, rows, input, outputs }, add);
    if (row % ROWS_OF_STEP === ROWS_OF_STEP - 1) yield;
  }
}

function* pictureInput({ subject }: Parts, picture: HeldPicture): Steps<PredictionLine['input']> {
  const { bytes, isRow, length, url, statistics } = picture;
  const sniffed = bytes && !isRow ? sniff(bytes) : undefined;
  const header = sniffed && 'header' in sniffed ? sniffed.header : undefined;
  return {
    kind: 'picture',
    sha256: bytes ? yield* sha256(bytes) : null,
    bytes: length,
    format: sniffed?.format ?? null,
    width: header?.width ?? null,
    height: header?.height ?? null,
    url: url === undefined || subject.redaction.hides('url') ? null : publicUrl(url),
    statistics: statistics ? roundedStatistics(statistics) : null,
  };
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

function* addAnswered(parts: Parts, { row, rows, input, outputs }: Answered, add: AddLine): Steps<void> {
  const ids = idsOf(parts, row, rows);
  const classes = classesOf((name) => outputs.tensor(name, row), parts.subject.meaning);
  const named = yield* outputs.json(row);
  const line = `${parts.head},${membersOf(ids)},"input":${input},${membersOf(classes)},"outputs":{${named}}}`;
  add(line, { id: ids.id, class: classes.class });
}

/** Of tensors that were passed on unread only the sizes are known. */
function addRelayed(parts: Parts, held: Extract<Held, { kind: 'relayed' }>, add: AddLine): void {
  const { rows, requestBytes, answerBytes } = held;
  const ids = idsOf(parts, 0, 1);
  const input = { kind: 'relayed', rows, bytes: requestBytes } satisfies PredictionLine['input'];
  const rest = { ...ids, input, ...NO_CLASSES, outputs: { bytes: answerBytes } };
  add(`${parts.head},${membersOf(rest)}}`, { id: ids.id, class: null });
}

/** An object as JSON without its braces. */
function membersOf(members: object): string {
  return JSON.stringify(members).slice(1, -1);
}

function headJson(
  { time, requestId, traceId, route, routed, signature, times }: Held,
  { redaction }: Pick<Subject, 'redaction'>,
): string {
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
    traffic: trafficOf(routed, redaction),
    timings,
  } satisfies Partial<PredictionLine>;
  return JSON.stringify(head).slice(0, -1);
}

/** A short id can be found from its hash. */
function trafficOf({ card, role, stickyKeyHash }: Held['routed'], redaction: Subject['redaction']) {
  if (!card.traffic) return null;
  const isHidden = card.traffic.sticky?.from === 'instance' && redaction.hides('id');
  return { role, ...(stickyKeyHash !== undefined && !isHidden && { sticky_key_hash: stickyKeyHash }) };
}

function idsOf({ held, subject }: Parts, row: number, rows: number): Pick<PredictionLine, 'row' | 'id' | 'given_id'> {
  const ids = held.kind === 'relayed' ? undefined : held.ids;
  const isHidden = subject.redaction.hides('id');
  const givenId = isHidden ? undefined : givenIdOf(ids, row, subject.card.record?.id);
  const id = givenId ?? (rows === 1 ? held.requestId : `${held.requestId}[${row}]`);
  return { row, id, given_id: givenId ?? null };
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
