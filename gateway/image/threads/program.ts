/** The program of a worker thread: converts one JPEG at a time to a row of a model's input. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { ELEMENTS } from '../../domain/elements.ts';
import type { ImageSpec } from '../../domain/picture.ts';
import type { InputArray, PixelType } from '../../domain/tensor.ts';
import { GatewayError, type Kind } from '../../errors.ts';
import { type Converter, createConverter } from '../converter.ts';
import type { JpegResult } from '../jpeg/decode.ts';
import { createGiveBack } from './give-back.ts';

/** `begun`: shared with the gateway, not 0 from the moment on that the picture is being converted. */
export type Task = {
  readonly bytes: Uint8Array;
  readonly spec: ImageSpec;
  readonly type: PixelType;
  readonly begun: Int32Array;
};

/** The memory of the row is moved. An error loses its class between threads, so its parts are sent. */
export type Reply =
  | { readonly result: 'ok'; readonly row: InputArray }
  | { readonly result: Exclude<JpegResult, 'ok'> }
  | { readonly kind: Kind; readonly detail: string };

const giveBack = createGiveBack();
const converters = new Map<string, Converter>();

export function convert({ bytes, spec, type, begun }: Task): unknown {
  Atomics.store(begun, 0, 1);
  const [height, width] = spec.size;
  const row = new ELEMENTS[type](height * width * (spec.color === 'rgb' ? 3 : 1));
  try {
    const result = converterOf(spec).jpeg(bytes, row);
    if (result !== 'ok') return { result } satisfies Reply;
    return move({ [transferableSymbol]: [row.buffer], [valueSymbol]: { result, row } satisfies Reply });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind === 'internal') throw error;
    return { kind: error.kind, detail: error.message } satisfies Reply;
  } finally {
    // Without the garbage collector, which may be late.
    (bytes.buffer as ArrayBuffer).transfer(0);
    giveBack();
  }
}

function converterOf(spec: ImageSpec): Converter {
  const key = JSON.stringify(spec);
  const converter = converters.get(key) ?? createConverter(spec);
  converters.set(key, converter);
  return converter;
}
