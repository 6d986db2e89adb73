/** The most bytes that the answer to a Predict may have. A server that sends more is refused by the announced length. */
import type { TensorsTarget } from '../../domain/backend.ts';
import { MAX_MESSAGE_BYTES } from './channel.ts';
import type { Wanted } from './protocol.ts';

/** Names, shapes, the version, and small outputs that the signature does not have. */
const HEAD_BYTES = 64 * 1024;

/**
 * The most bytes of an element: a tag and a varint take up to 11, in a list that is not packed. The dtype of the
 * signature does not count, because servers may answer with a wider one.
 */
const ELEMENT_BYTES = 16;

/** Elements of the wanted outputs beside those asked for, so that a wrong number of rows is found by its shape. */
const SPARE_ELEMENTS = HEAD_BYTES / ELEMENT_BYTES;

/**
 * The bytes for `count` instances: ELEMENT_BYTES for each element of the signature's outputs, but at most
 * `maxOutputBytes` for each instance. Exactly these where the signature does not tell how many elements there are.
 */
export function maxAnswerBytes({ answer }: TensorsTarget, count: number, maxOutputBytes: number): number {
  const { elements = Number.POSITIVE_INFINITY } = answer;
  const instanceBytes = Math.min(elements * ELEMENT_BYTES, maxOutputBytes);
  return Math.min(HEAD_BYTES + count * instanceBytes, MAX_MESSAGE_BYTES);
}

/** The outputs to read of an answer for `count` instances. An element that is sent takes at least one byte. */
export function wantedOf({ answer }: TensorsTarget, count: number, maxBytes: number): Omit<Wanted, 'take'> {
  const elements = count * answer.wantedElements + SPARE_ELEMENTS;
  return { outputs: answer.outputs, elements: Math.min(elements, maxBytes) };
}
