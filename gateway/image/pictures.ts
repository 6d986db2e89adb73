/**
 * Fills the rows of tensors with pictures. A JPEG is decoded in this process: a quick one on the main thread, others in
 * worker threads. All else, and what jpeg/ leaves alone, is decoded by sharp in processes of their own.
 */
import type { DecoderName, EncodedPicture, FillRow, FreeRows } from '../domain/picture.ts';
import type { Log } from '../domain/request.ts';
import { createConverter, createConverters } from './converter.ts';
import { createDecoders } from './decoder/pool.ts';
import type { BufferPool, DecodeLimits } from './decoder/reply.ts';
import { createJpegFill } from './fill-jpeg.ts';
import { checkHeader, isOwnJpeg } from './header-check.ts';
import type { LossOptions } from './loss.ts';
import { PIXEL_SPEC, pixelOf } from './pixel.ts';
import { createThreads } from './threads/threads.ts';
import { createTurns } from './turns.ts';
import { untilAborted } from './until-aborted.ts';

export type PicturesOptions = DecodeLimits &
  LossOptions & {
    /** Pictures that threads and processes decode at once. */
    readonly count: number;
    /** Limit on the pixels of these pictures, weighted by the memory of their decoder; at least `maxPixels`. */
    readonly pixelsAtOnce: number;
    /** The pool that pixels of processes are stored in until they are scaled. */
    readonly memory: BufferPool;
    readonly log: Log;
    /** How long a process without work is kept. */
    readonly restMs?: number;
    /** Called for each picture that is decoded. */
    readonly onDecoded?: (decoder: DecoderName) => void;
  };

export type Pictures = {
  /**
   * Rejects with the signal's reason on abort, whether the picture waits or is being decoded.
   * @throws GatewayError of the picture; internal when it ended its thread or process; overloaded while none can decode.
   */
  readonly fillRow: FillRow;
  /** Why pictures cannot be decoded. Undefined while all is well. */
  readonly problem: string | undefined;
  /** Ids of the running processes, for tests and benchmarks. */
  readonly pids: readonly number[];
  /** Ends threads and processes. Pictures that are being decoded fail. */
  close(): void;
};

/** Decodes a pixel by jpeg/, if JPEGs are offered; else starts a process that does. */
export function openPictures(options: PicturesOptions): Pictures {
  const { formats, maxPixels, maxBytes, count, pixelsAtOnce, log, onDecoded } = options;
  const turns = createTurns(count, pixelsAtOnce);
  const threads = createThreads(options);
  const decoders = createDecoders({ ...options, turns });
  const converterOf = createConverters();
  const fillJpeg = createJpegFill({ converterOf, threads, turns, log });
  const isJpegOffered = formats.includes('jpeg');
  if (isJpegOffered) proveJpeg();
  else decoders.start();

  async function fillBySharp(
    { bytes, spec, field }: EncodedPicture,
    cost: number,
    rows: FreeRows,
    signal: AbortSignal,
  ) {
    const pixels = await untilAborted(decoders.decode({ field, spec }, bytes, cost, signal), signal);
    rows.fill((row) => {
      converterOf(spec).pixels(pixels, row);
      return true;
    });
    pixels.release();
  }

  return {
    async fillRow(picture, rows, { signal }): Promise<DecoderName> {
      signal.throwIfAborted();
      const { bytes, field } = picture;
      const header = checkHeader(bytes, { field, formats, maxPixels, maxBytes });
      const isFilled = isOwnJpeg(header) && (await fillJpeg(picture, header, rows, signal));
      if (!isFilled) await fillBySharp(picture, header.cost, rows, signal);
      const decoder = isFilled ? 'jpeg' : 'sharp';
      onDecoded?.(decoder);
      return decoder;
    },
    get problem() {
      if (decoders.problem !== undefined) return decoders.problem;
      if (isJpegOffered || decoders.hasDecoded) return undefined;
      return 'no image has been decoded yet: the decoder process is starting';
    },
    get pids() {
      return decoders.pids;
    },
    close() {
      threads.close();
      decoders.close();
    },
  };
}

/** @throws Error when jpeg/ does not work on this machine. */
function proveJpeg(): void {
  const row = new Float32Array(8 * 8 * 3);
  const result = createConverter(PIXEL_SPEC).jpeg(pixelOf(['jpeg']), row);
  if (result !== 'ok') throw new Error(`the JPEG decoder answers ${result} for a pixel`);
}
