/** Bounds the memory of all request bodies together. */
import { GatewayError } from '../errors.ts';
import { ByteBudget } from '../machine/byte-budget.ts';

/** A small body may take memory that large ones cannot fill. A body with the URL of an image has about a hundred bytes. */
const SMALL_BYTES = 16 * 1024;
/** What small bodies may take together once the rest is full: a part of the base in the memory rule. */
export const SMALL_BODIES_BYTES = 16 * 2 ** 20;

/** The memory of one body. */
export type HeldBody = {
  /** Counts more bytes. Throws `overloaded` (503, for all clients) where they do not fit. */
  take(bytes: number): void;
  /** Gives back all that was counted, before the answer is closed. */
  release(): void;
};

/** The answer to a request, or the stream that it is sent on. */
export type Answering = { once(event: 'close', listener: () => void): unknown };

/** Opens the count of a body. It ends when the answer is closed. */
export type HoldBody = (answering: Answering) => HeldBody;

/**
 * Bounds all bodies to the budget, and SMALL_BODIES_BYTES for the small ones. Counts memory that is taken, not
 * Content-Length: otherwise a few clients that declare large bodies and send nothing could block all others.
 */
export function boundBodyMemory(all: ByteBudget): HoldBody {
  const small = new ByteBudget(SMALL_BODIES_BYTES);
  return (answering) => {
    const share = all.open();
    const smallShare = small.open();
    const release = () => {
      share.release();
      smallShare.release();
    };
    answering.once('close', release);
    return {
      take(bytes) {
        if (share.take(bytes)) return;
        const isSmall = share.bytes + smallShare.bytes + bytes <= SMALL_BYTES;
        if (isSmall && smallShare.take(bytes)) return;
        const detail = 'The memory for request bodies is full; try again later.';
        throw new GatewayError('overloaded', detail, { isUnavailable: true });
      },
      release,
    };
  };
}
