/** How a command on models can fail: one line for people, and an exit code for scripts. */

/** Why a command ended as it did. `refused`: nothing was written; the settings' own mistakes end with it too. */
export const EXIT_CODES = { failed: 1, refused: 2, notLoaded: 3, timedOut: 4 } as const;

/** A failure that is the caller's to mend. `message` is one line that says what is wrong and what to do. */
export class ModelsError extends Error {
  readonly exitCode: number;

  constructor(why: keyof typeof EXIT_CODES, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = EXIT_CODES[why];
  }
}

/** The error of a command that has looked and not touched anything. */
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

/** Turns what a file operation threw into one line; `outcome` says how things stand now. Other errors stay as they are. */
export function writeFailure(thrown: unknown, outcome: string): unknown {
  if (!(thrown instanceof Error) || !('errno' in thrown)) return thrown;
  const { code, path, dest, message } = thrown as NodeJS.ErrnoException & { dest?: string };
  const reason = WRITE_FAILURES[String(code)] ?? message;
  return new ModelsError('failed', `${dest ?? path ?? 'a file'}: ${reason}; ${outcome}`, { cause: thrown });
}
