/** Tensors as JSON text: numbers exactly, 64-bit integers with all digits, strings as UTF-8 or base64. */
import { isUtf8 } from 'node:buffer';
import { elementsOf, isNumeric } from '../domain/elements.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { JSON_ELEMENTS } from './json-elements.ts';

/**
 * Writes a tensor as nested lists. A number that is not finite is a string, as in proto3's JSON mapping. A string that is
 * no UTF-8, or every string of an output whose name ends in `_bytes`, is `{"b64": …}`, as in TF-Serving.
 */
export function tensorToJson(tensor: Tensor, name = ''): string {
  return nested(elementTexts(tensor, name), tensor.shape, 0);
}

/** Writes each row of a tensor's first axis. */
export function rowsToJson(tensor: Tensor, name = ''): string[] {
  const [rows = 0, ...shape] = tensor.shape;
  const texts = elementTexts(tensor, name);
  const length = texts.length / rows;
  return Array.from({ length: rows }, (_, row) => nested(texts, shape, row * length));
}

function elementTexts(tensor: Tensor, name: string): readonly string[] {
  if ('strings' in tensor) {
    const isBytes = name.endsWith('_bytes');
    return tensor.strings.map((bytes) => stringText(bytes, isBytes));
  }
  const elements = elementsOf(tensor);
  if (elements && isNumeric(tensor.dtype)) {
    return Array.from(elements as ArrayLike<number | bigint>, JSON_ELEMENTS[tensor.dtype].toJson);
  }
  throw new GatewayError('model_failed', `${name}: ${tensor.dtype} cannot be written as JSON.`);
}

function stringText(bytes: Uint8Array, isBytes: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isBytes && isUtf8(buffer)) return JSON.stringify(buffer.toString());
  return `{"b64":"${buffer.toString('base64')}"}`;
}

function nested(texts: readonly string[], shape: readonly number[], start: number): string {
  const [size, ...rest] = shape;
  if (size === undefined) return texts[start] ?? 'null';
  if (rest.length === 0) return `[${texts.slice(start, start + size).join(',')}]`;
  const length = rest.reduce((product, axis) => product * axis, 1);
  const parts = Array.from({ length: size }, (_, index) => nested(texts, rest, start + index * length));
  return `[${parts.join(',')}]`;
}
