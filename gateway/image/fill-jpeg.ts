/** Fills rows with JPEGs that jpeg/ decodes: quick ones on the main thread, one after another, others in threads. */
import type { EncodedPicture, FreeRows } from '../domain/picture.ts';
import type { Log } from '../domain/request.ts';
import type { ConverterOf } from './converter.ts';
import { cutOff, type ReadableHeader } from './header-check.ts';
import type { JpegResult } from './jpeg/decode.ts';
import { createLoopShare } from './loop-share.ts';
import { isQuick, isQuickFrame } from './quick.ts';
import type { Threads } from './threads/threads.ts';
import type { Turns } from './turns.ts';
import { untilAborted } from './until-aborted.ts';

export type JpegParts = {
  readonly converterOf: ConverterOf;
  readonly threads: Threads;
  readonly turns: Turns;
  readonly log: Log;
};

/**
 * Resolves to whether a row is filled. If not, another decoder decides on the picture.
 * @throws GatewayError image_unreadable for one that is cut off; those of the threads.
 */
export type FillJpeg = (
  picture: EncodedPicture,
  header: ReadableHeader,
  rows: FreeRows,
  signal: AbortSignal,
) => Promise<boolean>;

/** A pixel of a JPEG in a thread takes at most half of the memory that the costliest format takes in a process. */
const COST = 1 / 2;

export function createJpegFill({ converterOf, threads, turns, log }: JpegParts): FillJpeg {
  const inLoop = createLoopShare();

  /** On the main thread; declined where the frame tells that it takes long. */
  function fillNow({ bytes, spec }: EncodedPicture, rows: FreeRows): JpegResult {
    let result: JpegResult = 'declined';
    rows.fill((row) => {
      result = converterOf(spec).jpeg(bytes, row, isQuickFrame);
      return result === 'ok';
    });
    return result;
  }

  async function fillByThread(picture: EncodedPicture, pixels: number, rows: FreeRows, signal: AbortSignal) {
    const converted = turns.take(pixels, signal, () => threads.convert(picture, rows.type));
    const reply = await untilAborted(converted, signal);
    if (reply.result !== 'ok') return reply.result;
    rows.fill((row) => {
      bytesOf(row).set(bytesOf(reply.row));
      return true;
    });
    return reply.result;
  }

  return async (picture, header, rows, signal) => {
    const { bytes, spec, field } = picture;
    const now = isQuick(header, bytes, spec) ? await inLoop(() => fillNow(picture, rows), signal) : 'declined';
    const result = now === 'declined' ? await fillByThread(picture, header.cost * COST, rows, signal) : now;
    if (result === 'cut off') throw cutOff(field);
    if (result === 'trap') log.error({ field }, 'the JPEG decoder trapped; sharp decodes the picture');
    return result === 'ok';
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
