/** Errors of a process, or a machine, that has no file descriptor left for a file, a socket or a pipe. */

const CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);

/** Whether the error, one of its causes, or one of the errors that it collects is of this kind. */
export function isOutOfDescriptors(thrown: unknown): boolean {
  if (thrown instanceof AggregateError && thrown.errors.some(isOutOfDescriptors)) return true;
  if (!(thrown instanceof Error)) return false;
  return CODES.has((thrown as NodeJS.ErrnoException).code) || isOutOfDescriptors(thrown.cause);
}
