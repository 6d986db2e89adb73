/** Errors of the commands under `models`: a message of one line, and an exit code. */

/** The exit codes. `refused`: nothing was written; invalid settings exit with it too. */
export const EXIT_CODES = { failed: 1, refused: 2, notLoaded: 3, timedOut: 4 } as const;

/** An error that the caller can fix. `message` is one line: what is wrong and what to do. */
export class ModelsError extends Error {
  readonly exitCode: number;

  constructor(why: keyof typeof EXIT_CODES, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = EXIT_CODES[why];
  }
}

/** The error of a command that has written nothing. */
export function refused(message: string, options?: ErrorOptions): ModelsError {
  return new ModelsError('refused', message, options);
}

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the quota is used up',
  EACCES: 'permission denied, this user may not write there',
  EPERM: 'the file system does not allow it',
  EROFS: 'the file system is read-only',
  ENOSYS: 'the file system has no hard links',
  ENOTSUP: 'the file system has no hard links',
};

/**
 * Converts an error of a file operation to a ModelsError; `outcome` describes the state now. Returns other errors
 * unchanged.
 */
export function writeFailure(thrown: unknown, outcome: string): unknown {
  if (!(thrown instanceof Error) || !('errno' in thrown)) return thrown;
  const { code, path, dest, message } = thrown as NodeJS.ErrnoException & { dest?: string };
  const reason = WRITE_FAILURES[String(code)] ?? message;
  return new ModelsError('failed', `${dest ?? path ?? 'a file'}: ${reason}; ${outcome}`, { cause: thrown });
}
