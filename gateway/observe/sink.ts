/** Where the log goes: standard output, which is never waited for. */
import { type DestinationStream, pino } from 'pino';

/** Lines that wait for a reader that is slow; what comes on top is dropped and counted. */
const MAX_WAITING_BYTES = 2 ** 20;
const RETRY_MS = 100;

export type Sink = {
  readonly destination: DestinationStream;
  /** Lines dropped so far. */
  readonly dropped: () => number;
};

/**
 * Opens the sink. A line is written at once, so that none is lost at exit; where that cannot be, because nobody reads the
 * pipe or the disk is full, it waits, the process goes on, and a moment later it is tried again, in order.
 */
export function openSink(): Sink {
  // Node makes a pipe non-blocking when it opens the stream; a write to a full one then fails instead of waiting.
  void process.stdout;
  const destination = pino.destination({
    dest: 1,
    sync: true,
    minLength: 1, // with none, flush() does nothing
    maxLength: MAX_WAITING_BYTES,
    retryEAGAIN: () => false,
  });
  let dropped = 0;
  let isRetrying = false;
  destination.on('drop', () => {
    dropped += 1;
  });
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A reader that is gone does not come back; pino writes no more by itself.
    if (code === 'EPIPE' || isRetrying) return;
    isRetrying = true;
    setTimeout(() => {
      isRetrying = false;
      destination.flush();
    }, RETRY_MS);
  });
  return { destination, dropped: () => dropped };
}
