/** The JSON of `results`: a value for each example of …:regress, a list of labels with scores for each of …:classify. */
import { elementsOf } from '../../domain/elements.ts';
import { stringAt } from '../../domain/strings.ts';
import type { StringTensor, Tensor } from '../../domain/tensor.ts';
import type { JsonText } from '../../http/json/format.ts';
import { JSON_ELEMENTS } from '../../tensor/json-elements.ts';
import { packedMemory } from '../../tensor/packed.ts';
import type { AddText } from '../../tensor/to-json.ts';

/** `values`: a float for each example. `classes` and `scores`: `width` of them for each example, one of both at least. */
export type Results =
  | { readonly kind: 'regress'; readonly values: Tensor }
  | {
      readonly kind: 'classify';
      readonly count: number;
      readonly width: number;
      readonly classes: StringTensor | undefined;
      readonly scores: Tensor | undefined;
    };

export const text: JsonText<Results> = {
  module: import.meta.url,
  bytes: (results) => tensorsOf(results).reduce((sum, { bytes }) => sum + bytes.length, 0),
  memory: (results) => packedMemory(tensorsOf(results)),
  write(results, add) {
    add('{"results":[');
    if (results.kind === 'regress') writeRegressions(results.values, add);
    else writeClassifications(results, add);
    add(']}');
  },
};

function tensorsOf(results: Results): Tensor[] {
  return [results.kind === 'regress' ? results.values : [results.classes, results.scores]].flat().filter(isThere);
}

function isThere(tensor: Tensor | undefined): tensor is Tensor {
  return tensor !== undefined;
}

function writeRegressions(values: Tensor, add: AddText): void {
  const numbers = elementsOf(values) ?? [];
  for (let index = 0; index < numbers.length; index += 1) {
    add(`${index > 0 ? ',' : ''}${JSON_ELEMENTS.DT_FLOAT.toJson(numbers[index] ?? 0)}`);
  }
}

function writeClassifications(
  { count, width, classes, scores }: Extract<Results, { kind: 'classify' }>,
  add: AddText,
): void {
  const numbers = scores && elementsOf(scores);
  const labelAt = (at: number) => (classes ? JSON.stringify(Buffer.from(stringAt(classes, at)).toString()) : '""');
  const scoreAt = (at: number) => (numbers ? JSON_ELEMENTS.DT_FLOAT.toJson(numbers[at] ?? 0) : '0.0');
  for (let row = 0; row < count; row += 1) {
    add(row > 0 ? ',[' : '[');
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      add(`${column > 0 ? ',' : ''}[${labelAt(at)},${scoreAt(at)}]`);
    }
    add(']');
  }
}
