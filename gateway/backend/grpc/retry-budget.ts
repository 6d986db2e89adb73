/** How many calls may be sent again: a tenth of the traffic, and some at once. */

/** With these a server that starts to refuse is not noticed; a lasting trouble costs no more than a tenth of the calls. */
const MAX_TOKENS = 100;
const TOKENS_PER_CALL = 0.1;

/** A token bucket that every call fills by a tenth and every further attempt empties by one. */
export class RetryBudget {
  #tokens = MAX_TOKENS;

  deposit(): void {
    this.#tokens = Math.min(MAX_TOKENS, this.#tokens + TOKENS_PER_CALL);
  }

  /** Takes a further attempt's token; false where there is none left, and no attempt is to be made. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
