/** The JSON of an answer of …/infer: outputs with their elements in one list, or with the size of their binary data. */
import { elementCount } from '../../domain/shape.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { JsonText } from '../../http/json/format.ts';
import { packedMemory } from '../../tensor/packed.ts';
import { writeTensor } from '../../tensor/to-json.ts';

export type OutputText = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** The elements, or the bytes of binary data. */
  readonly data: Tensor | number;
};

export type InferText = {
  readonly model: string;
  readonly version: number;
  readonly id: string | undefined;
  readonly outputs: readonly OutputText[];
};

export const text: JsonText<InferText> = {
  module: import.meta.url,
  bytes: (answer) => tensorsOf(answer).reduce((sum, { bytes }) => sum + bytes.length, 0),
  memory: (answer) => packedMemory(tensorsOf(answer)),
  write({ model, version, id, outputs }, add) {
    const head = { model_name: model, model_version: String(version), ...(id !== undefined && { id }) };
    add(`${JSON.stringify(head).slice(0, -1)},"outputs":[`);
    for (const [index, { data, ...output }] of outputs.entries()) {
      if (index > 0) add(',');
      add(JSON.stringify(output).slice(0, -1));
      if (typeof data === 'number') add(`,"parameters":{"binary_data_size":${data}}}`);
      else {
        add(',"data":');
        writeTensor({ ...data, shape: [elementCount(data.shape)] }, '', add);
        add('}');
      }
    }
    add(']}');
  },
};

function tensorsOf({ outputs }: InferText): Tensor[] {
  return outputs.flatMap(({ data }) => (typeof data === 'number' ? [] : data));
}
