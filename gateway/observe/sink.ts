/** The destination of the log: stdout, written without blocking the process. */
import { type DestinationStream, pino } from 'pino';

/** Buffer for lines that stdout does not take at once. Further lines are dropped and counted. */
const MAX_BUFFERED_BYTES = 2 ** 20;
const RETRY_MS = 100;

export type Sink = {
  readonly destination: DestinationStream;
  /** Writes a line as it is, between those of the log. False where it was dropped. */
  readonly write: (line: string) => boolean;
  /** Lines dropped so far. */
  readonly dropped: () => number;
};

/**
 * Opens the sink. Each line is written synchronously, so none is lost at exit. If the pipe or the disk is full, the
 * line is buffered and the write is retried every 100 ms, in order. The process does not wait. `format`: how to write a
 * line, unchanged by default.
 */
export function openSink(format?: (line: string) => string): Sink {
  // Opening the stream makes a pipe non-blocking: a write to a full pipe then fails instead of blocking.
  void process.stdout;
  const destination = pino.destination({
    dest: 1,
    sync: true,
    minLength: 1, // with 0, flush() does nothing
    maxLength: MAX_BUFFERED_BYTES,
    retryEAGAIN: () => false,
  });
  let dropped = 0;
  let isRetrying = false;
  let isClosed = false;
  destination.on('drop', () => {
    dropped += 1;
  });
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    // EPIPE: the reader has closed the pipe for good, and pino stops writing.
    isClosed ||= code === 'EPIPE';
    if (isClosed || isRetrying) return;
    isRetrying = true;
    setTimeout(() => {
      isRetrying = false;
      destination.flush();
    }, RETRY_MS);
  });
  const formatted = format && { write: (line: string) => destination.write(format(line)) };
  const write = (line: string) => {
    const before = dropped;
    destination.write(line);
    return dropped === before && !isClosed;
  };
  return { destination: formatted ?? destination, write, dropped: () => dropped };
}
