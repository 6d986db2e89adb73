/** Letterbox, own mean and deviation, and inputs of other dtypes: the bytes of Pillow, Keras and TensorFlow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ImageFormat, ImageSpec } from '../../gateway/domain/picture.ts';
import type { PixelType } from '../../gateway/domain/tensor.ts';
import { createNormaliser } from '../../gateway/image/normalise.ts';
import { createResampler } from '../../gateway/image/resample.ts';
import { restrictSharp } from '../../gateway/image/restrict-sharp.ts';
import { testSpec } from '../../gateway/image/test-spec.ts';
import { readImage, sha256 } from './golden.ts';
import { createDecoder, type Decoder } from './run.ts';

type Result = { readonly image: string; readonly spec: Partial<ImageSpec> } & (
  | { readonly dtype: PixelType; readonly sha256: string }
  | { readonly error: true }
);

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png'];
const ARRAYS = {
  DT_FLOAT: Float32Array,
  DT_HALF: Float16Array,
  DT_BFLOAT16: Uint16Array,
  DT_UINT8: Uint8Array,
  DT_INT32: Int32Array,
};
const { results } = JSON.parse(readFileSync(new URL('inputs.json', import.meta.url), 'utf8')) as {
  results: readonly Result[];
};

const ENTRIES: Readonly<Record<string, (result: Result) => boolean>> = {
  "F26: fit: pad gives ImageOps.pad's and tf.image.resize_with_pad's tensors": ({ spec }) =>
    typeof spec.fit === 'object' && 'pad' in spec.fit,
  "F26: an own mean and deviation give numpy's float32 tensors": ({ spec }) => typeof spec.scale === 'object',
  'A3: pixels for integer inputs are rounded and clamped as by keras.layers.Resizing': (result) =>
    'dtype' in result && (result.dtype === 'DT_UINT8' || result.dtype === 'DT_INT32'),
  'F26: float16 and bfloat16 inputs get the numbers of tf.cast': (result) =>
    'dtype' in result && (result.dtype === 'DT_HALF' || result.dtype === 'DT_BFLOAT16'),
};

restrictSharp(FORMATS);
const decoders = new Map<string, Decoder>();

for (const [entry, isOf] of Object.entries(ENTRIES)) {
  test(entry, async (t) => {
    const chosen = results.filter(isOf);
    for (const result of chosen) {
      const made = tensorOf(result);
      if ('error' in result) await assert.rejects(made, { kind: 'image_too_large' });
      else assert.equal(sha256(await made), result.sha256, JSON.stringify(result));
    }
    assert.ok(chosen.length > 0);
    t.diagnostic(`came: ${chosen.length} tensors, all exact`);
  });
}

async function tensorOf(result: Result): Promise<ArrayBufferView> {
  const spec = testSpec(result.spec);
  const decode = decoders.get(result.image) ?? createDecoder(readImage(result.image), FORMATS);
  decoders.set(result.image, decode);
  const [height, width] = spec.size;
  const type = 'dtype' in result ? result.dtype : 'DT_FLOAT';
  const tensor = new ARRAYS[type](height * width * (spec.color === 'rgb' ? 3 : 1));
  createNormaliser(spec)(createResampler(spec)(await decode(spec)), tensor);
  return tensor;
}
