/** Converts a float32 tensor to the dtype of a model's input, as Keras and TensorFlow do. */
import type { InputArray } from '../domain/tensor.ts';
import { roundHalfToEven } from './resample/geometry.ts';

/** The largest finite float16. */
const MAX_HALF = 65_504;

/**
 * Writes `floats` into `out`, which has as many elements. uint8 and int32: rounded half to even, then clamped (keras
 * `Resizing` with an integer dtype: `round`, `saturate_cast`). float16 and bfloat16: the nearest number, half to even
 * (`tf.cast`), but at most the largest finite one.
 */
export function convert(floats: Float32Array, out: InputArray): void {
  if (out instanceof Uint8Array) toBytes(floats, out);
  else if (out instanceof Uint16Array) toBfloat16(floats, out);
  else if (out instanceof Float16Array) out.set(floats.map((value) => Math.min(MAX_HALF, value)));
  else out.set(floats.map(roundHalfToEven));
}

/** Uint8ClampedArray rounds half to even and clamps (ECMA-262, ToUint8Clamp). */
function toBytes(floats: Float32Array, out: Uint8Array): void {
  new Uint8ClampedArray(out.buffer, out.byteOffset, out.length).set(floats);
}

/** bfloat16 is the upper half of a float32. Adding half of the last bit, less one for an even number, rounds. */
function toBfloat16(floats: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  for (let i = 0; i < bits.length; i++) {
    const bit = bits[i] as number;
    out[i] = (bit + 0x7fff + ((bit >>> 16) & 1)) >>> 16;
  }
}
