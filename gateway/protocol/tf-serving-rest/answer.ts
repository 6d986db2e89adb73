/** The answers of TF-Serving's REST API. */
import type { VersionStatus } from '../../domain/servable.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { Answer } from '../../http/answer.ts';
import type { JsonCodec } from '../../http/json/codec.ts';
import type { PicturesAnswer } from '../../pipeline/pictures.ts';
import { packTensor } from '../../tensor/packed.ts';
import type { RowNames } from '../../tensor/row-names.ts';
import { TfServingError } from './failure.ts';
import { type NamedTensors, type Predictions, text } from './predictions-text.ts';
import { type Results, text as resultsText } from './results-text.ts';

type Outputs = ReadonlyMap<string, Tensor>;

/** `version`: the one that answered. Unset: the answer is of none. */
export function jsonAnswer(body: Answer['body'], version?: number): Answer {
  const headers = {
    'Content-Type': 'application/json',
    ...(version !== undefined && { 'X-Model-Version': String(version) }),
  };
  return { status: 200, headers, body };
}

/** How a request gave its instances. `names`: their ids, where one has an id. */
export type Asked = { readonly form: 'rows' | 'columns'; readonly names?: RowNames };

/**
 * Writes the outputs of a model as `predictions` or `outputs`. Throws a 400 for outputs that have no rows, and for ids where
 * the rows are not those of the instances.
 */
export function writePredictions(
  write: JsonCodec['write'],
  outputs: Outputs,
  { form, names }: Asked,
): Promise<Uint8Array> {
  if (form === 'rows') checkRows(outputs, names);
  return write<Predictions>({ form, outputs: packAll(outputs), names }, text);
}

/** Writes the outputs of each picture, or its error: `{"error": "text"}` in the place of its prediction. */
export function writePictures(
  write: JsonCodec['write'],
  outcomes: PicturesAnswer['outcomes'],
  names?: RowNames,
): Promise<Uint8Array> {
  const rows = outcomes.map((outcome) => ('error' in outcome ? outcome.error.message : packAll(outcome.outputs)));
  return write<Predictions>({ form: 'pictures', rows, names }, text);
}

/** Writes `{"results": […]}`. */
export function writeResults(write: JsonCodec['write'], results: Results): Promise<Uint8Array> {
  return write<Results>(results, resultsText);
}

function packAll(outputs: Outputs): NamedTensors {
  return Array.from(outputs, ([name, tensor]) => [name, packTensor(tensor)] as const);
}

function checkRows(outputs: Outputs, names: RowNames | undefined): void {
  let count: number | undefined;
  for (const [name, { shape }] of [...outputs].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const [rows] = shape;
    if (rows === undefined) throw new TfServingError(400, `Tensor name: ${name} has no shape information `);
    if (count !== undefined && count !== rows) {
      const text = `Tensor name: ${name} has inconsistent batch size: ${rows} expecting: ${count}`;
      throw new TfServingError(400, text);
    }
    count = rows;
  }
  if (!names || count === names.count) return;
  throw new TfServingError(400, `id: the model answers ${count} rows for ${names.count} instances; leave it out`);
}

/** GetModelStatusResponse. The newest version comes first. Throws a 404 where there is none. */
export function renderStatus(
  { model, version }: { readonly model: string; readonly version?: string },
  statuses: readonly VersionStatus[],
): Answer {
  const wanted = statuses.filter((status) => version === undefined || BigInt(status.version) === BigInt(version));
  if (wanted.length === 0) {
    const what = version === undefined ? 'any versions' : `version ${BigInt(version)}`;
    throw new TfServingError(404, `Could not find ${what} of model ${model}`, 'model_not_found');
  }
  const listed = wanted
    .toSorted((one, other) => other.version - one.version)
    .map(({ version: number, state, error, code = 'OK' }) => ({
      version: String(number),
      state,
      status: { error_code: code, error_message: error },
    }));
  return jsonAnswer(JSON.stringify({ model_version_status: listed }));
}
