/** The JSON of predictions: `predictions` in rows, `outputs` in columns. */
import type { Tensor } from '../../domain/tensor.ts';
import type { JsonText } from '../../http/json/format.ts';
import { renderMembers } from '../../predictions/object.ts';
import { packedMemory } from '../../tensor/packed.ts';
import { memoryOfNames, type RowNames, unpackNames } from '../../tensor/row-names.ts';
import { type AddText, rowWriter, writeTensor } from '../../tensor/to-json.ts';

export type NamedTensors = readonly (readonly [name: string, tensor: Tensor])[];

/** `pictures`: the outputs of each one, or the text of its error. `names`: the ids of the rows, where one has an id. */
export type Predictions = { readonly names?: RowNames | undefined } & (
  | { readonly form: 'rows' | 'columns'; readonly outputs: NamedTensors }
  | { readonly form: 'pictures'; readonly rows: readonly (NamedTensors | string)[] }
);

export const text: JsonText<Predictions> = {
  module: import.meta.url,
  bytes: (predictions) => tensorsOf(predictions).reduce((sum, { bytes }) => sum + bytes.length, 0),
  memory: (predictions) => [
    ...packedMemory(tensorsOf(predictions)),
    ...(predictions.names ? memoryOfNames(predictions.names) : []),
  ],
  write(predictions, add) {
    if (predictions.form === 'columns') {
      add('{"outputs":');
      writeWhole(predictions.outputs, '', add);
    } else {
      const { names } = predictions;
      const nameOf = names && unpackNames(names);
      const idsOf = (row: number) => nameOf?.(row).ids ?? '';
      add('{"predictions":[');
      if (predictions.form === 'pictures') {
        separated(predictions.rows, add, (picture, row) => writePicture(picture, idsOf(row), add));
      } else writeRows(predictions.outputs, idsOf, add);
      add(']');
    }
    add('}');
  },
};

function tensorsOf(predictions: Predictions): Tensor[] {
  const named =
    predictions.form === 'pictures'
      ? predictions.rows.filter((row) => typeof row !== 'string').flat()
      : predictions.outputs;
  return named.map(([, tensor]) => tensor);
}

/** A prediction for each row: its value, or an object where there are several outputs, or ids. */
function writeRows(outputs: NamedTensors, idsOf: (row: number) => string, add: AddText): void {
  const columns = outputs.map(([name, tensor]) => [name, rowWriter(tensor, name)] as const);
  const count = outputs[0]?.[1].shape[0] ?? 0;
  for (let row = 0; row < count; row += 1) {
    if (row > 0) add(',');
    writeMembers(columns, idsOf(row), add, (write) => write(row, add));
  }
}

/** Whole tensors: the only one alone, several as an object. */
function writeWhole(outputs: NamedTensors, ids: string, add: AddText): void {
  writeMembers(
    outputs.map(([name, tensor]) => [name, [name, tensor] as const] as const),
    ids,
    add,
    ([name, tensor]) => writeTensor(tensor, name, add),
  );
}

function writePicture(picture: NamedTensors | string, ids: string, add: AddText): void {
  if (typeof picture === 'string') add(renderMembers(ids, [['error', JSON.stringify(picture)]]));
  else writeWhole(picture, ids, add);
}

/** The only value alone, several as an object. `ids`: JSON text of members, `"id":7`, which come first; or empty. */
function writeMembers<Value>(
  members: readonly (readonly [name: string, value: Value])[],
  ids: string,
  add: AddText,
  write: (value: Value) => void,
): void {
  const [only] = members;
  if (only && members.length === 1 && ids === '') {
    write(only[1]);
    return;
  }
  add(`{${ids}`);
  if (ids !== '' && only) add(',');
  separated(members, add, ([name, value]) => {
    add(`${JSON.stringify(name)}:`);
    write(value);
  });
  add('}');
}

function separated<Item>(items: readonly Item[], add: AddText, write: (item: Item, index: number) => void): void {
  for (const [index, item] of items.entries()) {
    if (index > 0) add(',');
    write(item, index);
  }
}
