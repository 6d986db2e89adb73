/** Limits extra attempts (retries and hedges) to a tenth of the calls, plus a burst. */

/** The burst covers a server that starts to refuse calls. A lasting outage costs at most a tenth more calls. */
const MAX_TOKENS = 100;
const TOKENS_PER_CALL = 0.1;

/** A token bucket: each call adds a tenth of a token, each extra attempt takes one. */
export class RetryBudget {
  #tokens = MAX_TOKENS;

  deposit(): void {
    this.#tokens = Math.min(MAX_TOKENS, this.#tokens + TOKENS_PER_CALL);
  }

  /** Takes the token for an extra attempt. False: the budget is empty and no attempt may be made. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
