/** Reads model.yaml: the description of a model, shared by the gateway, the embedded server and training. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { OwnLimits } from '../domain/own-limits.ts';
import type { EncodedSpec, ImageSpec } from '../domain/picture.ts';
import type { ScoreKind } from '../domain/scores.ts';
import { DEFAULT_SIGNATURE } from '../domain/servable.ts';
import type { Decision, InputHint, RecordSpec } from '../domain/table.ts';
import type { GuardBounds, Shadow, Traffic } from '../domain/traffic.ts';
import { type Path, readCardDocument } from './card-document.ts';
import { mistakesIn } from './card-mistakes.ts';
import { cardSchema } from './card-schema.ts';
import { AUTO_SIGNATURE } from './find-signature.ts';

export type ModelCard = OwnLimits & {
  readonly name: string;
  /** Of requests with tensors, and of pictures where they are not sent as pixels. */
  readonly signature: string;
  /** `signature: auto`: pictures may be sent as pixels, a quarter of the bytes. */
  readonly mayTakePixels?: true;
  /** Absent for a model that takes tensors. */
  readonly image?: ImageSpec | EncodedSpec;
  readonly classes?: readonly string[];
  /** Name of the output tensor. Read from the signature when one output fits the classes. */
  readonly output?: string;
  readonly scores: ScoreKind;
  /** The inputs in the order of an instance that is a plain list. */
  readonly columns?: readonly string[];
  readonly record?: RecordSpec;
  /** What people may give for inputs, by their names. */
  readonly inputs?: ReadonlyMap<string, InputHint>;
  readonly decision?: Decision;
  /** The file of records that explanations compare with, in the folder. */
  readonly background?: string;
  /** Inputs, `id` and `url` that are not in the prediction log. */
  readonly redact?: readonly string[];
  /** Which versions answer requests that name none. Absent: the newest. */
  readonly traffic?: Traffic;
  readonly shadow?: Shadow;
  readonly guard?: GuardBounds;
  /** The folder of model.yaml; empty without a model.yaml. */
  readonly folder: string;
  /** When parity/tensors.json was written: a new one is a reason to prove the model again. */
  readonly tensorsMs?: number;
  /** The model has no model.yaml: nothing is said of its signatures. */
  readonly isDiscovered?: true;
};

/** The card of a model without a model.yaml: it takes tensors by any of its signatures. */
export function cardWithoutFile(name: string): ModelCard {
  return { name, signature: DEFAULT_SIGNATURE, scores: 'logits', folder: '', isDiscovered: true };
}

/** Whether versions that were checked with one card need no new check with the other: only what routes requests differs. */
export function isSameModel(one: ModelCard, other: ModelCard): boolean {
  return isDeepStrictEqual(withoutRouting(one), withoutRouting(other));
}

function withoutRouting({ traffic: _traffic, shadow: _shadow, guard: _guard, ...card }: ModelCard) {
  return card;
}

/** The mistakes in the model.yaml files, one line each. */
export class ModelCardError extends Error {}

/** Reads one model.yaml. Throws a ModelCardError with one line for each mistake, which names the file, line and field. */
export function parseCard(text: string, folder: string): ModelCard {
  const document = readCardDocument(text);
  const parsed = cardSchema.safeParse(document.value);
  const mistakes = mistakesIn(document, parsed.error?.issues ?? []);
  if (!parsed.success || mistakes.length > 0) {
    const file = path.join(path.basename(folder), 'model.yaml');
    const lines = mistakes.map((mistake) => `${file}:${mistake.line}: ${fieldName(mistake.path)}${mistake.text}`);
    throw new ModelCardError(lines.join('\n'));
  }
  const {
    signature = AUTO_SIGNATURE,
    image,
    classes,
    output,
    columns,
    record,
    inputs,
    decision,
    background,
    redact,
    traffic,
    shadow,
    guard,
    backend,
    timeout,
    max_in_flight,
    ...card
  } = parsed.data;
  const isAuto = signature === AUTO_SIGNATURE;
  return {
    ...card,
    signature: isAuto ? DEFAULT_SIGNATURE : signature,
    ...(isAuto && image && !('encoded' in image) && { mayTakePixels: true }),
    ...(image && { image: image as ImageSpec | EncodedSpec }),
    ...(classes && { classes }),
    ...(output !== undefined && { output }),
    ...(columns && { columns }),
    ...(record && { record: record as RecordSpec }),
    ...(inputs && { inputs: new Map(Object.entries(inputs as Readonly<Record<string, InputHint>>)) }),
    ...(decision && { decision }),
    ...(background !== undefined && { background }),
    ...(redact && { redact }),
    ...(traffic && { traffic: traffic as Traffic }),
    ...(shadow && { shadow: shadow as Shadow }),
    ...(guard && { guard }),
    ...(backend && { backend }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(max_in_flight !== undefined && { maxInFlight: max_in_flight }),
    folder,
  };
}

/** `image.size: `; `classes[3]: ` for the fourth class. Empty for the file. */
function fieldName(path: Path): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name && `${name.slice(1)}: `;
}
