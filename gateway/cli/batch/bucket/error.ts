/** A store of buckets that refused, or did not answer. */
import { Refused } from '../refused.ts';

export class BucketError extends Refused {
  /** Whether the same may succeed later. */
  readonly isTransient: boolean;
  /** Of the store's answer, if it gave one. */
  readonly status: number | undefined;

  constructor(message: string, about: { isTransient?: boolean; status?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: about.cause });
    this.isTransient = about.isTransient ?? false;
    this.status = about.status;
  }
}
