/** Mixed records: some features of the record that is explained, and those of a record of the background. */
import { ELEMENTS, isNumeric } from '../../domain/elements.ts';
import { stringAt, stringTensor } from '../../domain/strings.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { FeatureInput } from './features.ts';

/** A mixed record. */
export type Mixture = {
  /** Of the background. */
  readonly from: number;
  readonly isOwn: (feature: number) => boolean;
};

/** The rows of one input. `own`: one row; `background`: its rows. Both have the same type and axes. */
export function mixRows(
  { elements, first }: FeatureInput,
  { own, background }: { readonly own: Tensor; readonly background: Tensor },
  mixtures: readonly Mixture[],
): Tensor {
  const shape = [mixtures.length, ...own.shape.slice(1)];
  if ('offsets' in own && 'offsets' in background) {
    const strings = mixtures.flatMap(({ from, isOwn }) =>
      Array.from({ length: elements }, (_, element) =>
        isOwn(first + element) ? stringAt(own, element) : stringAt(background, from * elements + element),
      ),
    );
    return stringTensor(shape, strings);
  }
  const size = isNumeric(own.dtype) ? ELEMENTS[own.dtype].BYTES_PER_ELEMENT : 0;
  const bytes = new Uint8Array(mixtures.length * elements * size);
  let at = 0;
  for (const { from, isOwn } of mixtures) {
    for (let element = 0; element < elements; element += 1) {
      const isOfOwn = isOwn(first + element);
      const start = (isOfOwn ? element : from * elements + element) * size;
      bytes.set((isOfOwn ? own : background).bytes.subarray(start, start + size), at);
      at += size;
    }
  }
  return { dtype: own.dtype, shape, bytes };
}
