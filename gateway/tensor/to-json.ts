/** Tensors as JSON text: numbers exactly, 64-bit integers with all digits, strings as UTF-8 or base64. */

import { isUtf8 } from 'node:buffer';
import { elementsOf, isNumeric } from '../domain/elements.ts';
import { elementCount } from '../domain/shape.ts';
import { stringAt } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { JSON_ELEMENTS } from './json-elements.ts';

/** Takes the text piece by piece. */
export type AddText = (piece: string) => void;

/**
 * Writes a tensor as nested lists. A number that is not finite is a string, as in proto3's JSON mapping. A string that is
 * no UTF-8, or every string of an output whose name ends in `_bytes`, is `{"b64": …}`, as in TF-Serving.
 */
export function writeTensor(tensor: Tensor, name: string, add: AddText): void {
  writeNested(elementsText(tensor, name), tensor.shape, 0, add);
}

/** The writer of single rows, by their place in the first axis. */
export function rowWriter(tensor: Tensor, name: string): (row: number, add: AddText) => void {
  const [, ...shape] = tensor.shape;
  const textOf = elementsText(tensor, name);
  const length = elementCount(shape);
  return (row, add) => writeNested(textOf, shape, row * length, add);
}

/** The text of single rows, by their place in the first axis. */
export function rowText(tensor: Tensor, name: string): (row: number) => string {
  if (tensor.shape.length === 1) {
    const textOf = elementsText(tensor, name);
    return (row) => textOf(row, row + 1);
  }
  const write = rowWriter(tensor, name);
  return (row) => textBy((add) => write(row, add));
}

/** The text of a whole tensor. */
export function tensorToJson(tensor: Tensor, name = ''): string {
  return textBy((add) => writeTensor(tensor, name, add));
}

/** The text of each row of a tensor's first axis. */
export function rowsToJson(tensor: Tensor, name = ''): string[] {
  const textOf = rowText(tensor, name);
  return Array.from({ length: tensor.shape[0] ?? 0 }, (_, row) => textOf(row));
}

function textBy(write: (add: AddText) => void): string {
  let text = '';
  write((piece) => {
    text += piece;
  });
  return text;
}

/** The texts of elements that follow each other, with commas between them. */
type ElementsText = (start: number, end: number) => string;

/** Elements that are written together. */
const PIECE = 1024;

function elementsText(tensor: Tensor, name: string): ElementsText {
  if ('offsets' in tensor) {
    const isBytes = name.endsWith('_bytes');
    const textOf = (position: number) => stringText(stringAt(tensor, position), isBytes);
    return (start, end) => Array.from({ length: end - start }, (_, index) => textOf(start + index)).join();
  }
  const elements = elementsOf(tensor);
  if (!elements || !isNumeric(tensor.dtype)) {
    throw new GatewayError('model_failed', `${name}: ${tensor.dtype} cannot be written as JSON.`);
  }
  const { toJson, isPlain } = JSON_ELEMENTS[tensor.dtype];
  return (start, end) => {
    if (end - start === 1) return toJson(elements[start] ?? 0);
    const piece = Array.from(elements.subarray(start, end) as ArrayLike<number | bigint>);
    return isPlain && piece.every(isPlain) ? JSON.stringify(piece).slice(1, -1) : piece.map(toJson).join();
  };
}

function stringText(bytes: Uint8Array, isBytes: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isBytes && isUtf8(buffer)) return JSON.stringify(buffer.toString());
  return `{"b64":"${buffer.toString('base64')}"}`;
}

/** Writes the lists of a shape, beginning with the element `start`. */
function writeNested(textOf: ElementsText, shape: readonly number[], start: number, add: AddText): void {
  const [size, ...rest] = shape;
  if (size === undefined) {
    add(textOf(start, start + 1));
    return;
  }
  const length = elementCount(rest);
  const step = rest.length === 0 ? PIECE : 1;
  add('[');
  for (let index = 0; index < size; index += step) {
    if (index > 0) add(',');
    if (rest.length === 0) add(textOf(start + index, start + Math.min(size, index + step)));
    else writeNested(textOf, rest, start + index * length, add);
  }
  add(']');
}
