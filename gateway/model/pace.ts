/** How often a model is polled. */

const READY_MS = 2000;
const WAITING_MS = 250;

/** The pause before the next poll. */
export function pollPauseMs({ isUsable, isBusy }: { readonly isUsable: boolean; readonly isBusy: boolean }): number {
  return isUsable || isBusy ? READY_MS : WAITING_MS;
}
