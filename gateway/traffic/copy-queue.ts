/** The copies that wait to be sent. Their memory and their number are bounded, and they make room for everything else. */
import { ByteBudget, type ByteShare } from '../machine/byte-budget.ts';

/** Copies of one model that are sent at once. */
const AT_ONCE = 4;
/** Copies of one model that wait. A version that keeps up has fewer. */
const MAX_WAITING = 32;
/** A copy that has waited longer is of no use: the version does not keep up. */
const MAX_WAIT_MS = 5000;

/**
 * Why a copy was not sent. busy: requests need the gateway or the servers. memory: other copies take the memory. queue_full, late: the
 * version does not keep up.
 */
export type DropReason = 'busy' | 'memory' | 'queue_full' | 'late';

export type WaitingCopy = {
  readonly model: string;
  /** Sends it. Does not reject. */
  send(): Promise<void>;
  /** Called in place of `send`. */
  drop(reason: DropReason): void;
};

export type CopyQueueOptions = {
  /** The most memory of all copies, and of the answers to them. */
  readonly maxBytes: number;
  /** Whether requests of the model need all there is. */
  readonly isBusy: (model: string) => boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

export class CopyQueue {
  /** Full, it drops the copy that has waited longest. */
  readonly memory: ByteBudget;
  readonly #isBusy: CopyQueueOptions['isBusy'];
  /** The oldest first. */
  readonly #waiting = new Map<WaitingCopy, { readonly sinceMs: number }>();
  readonly #sending = new Map<string, number>();
  readonly #now: () => number;
  #isDue = false;

  constructor({ maxBytes, isBusy, now = () => performance.now() }: CopyQueueOptions) {
    this.memory = new ByteBudget(maxBytes, () => this.#dropOldest('memory'));
    this.#isBusy = isBusy;
    this.#now = now;
  }

  /** Takes memory for a copy. Undefined where there is none. */
  take(bytes: number): ByteShare | undefined {
    const share = this.memory.open();
    return bytes <= this.memory.maxBytes && share.take(bytes) ? share : undefined;
  }

  /** Adds a copy. It is sent in a later turn of the event loop, so that the answer to its request goes first. */
  add(copy: WaitingCopy): void {
    this.#waiting.set(copy, { sinceMs: this.#now() });
    const ofModel = [...this.#waiting.keys()].filter(({ model }) => model === copy.model);
    const [oldest] = ofModel;
    if (oldest && ofModel.length > MAX_WAITING) this.#drop(oldest, 'queue_full');
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#sendAll();
    });
  }

  #sendAll(): void {
    for (const [copy, { sinceMs }] of this.#waiting) {
      const sending = this.#sending.get(copy.model) ?? 0;
      if (this.#isBusy(copy.model)) this.#drop(copy, 'busy');
      else if (this.#now() - sinceMs > MAX_WAIT_MS) this.#drop(copy, 'late');
      else if (sending < AT_ONCE) void this.#send(copy, sending);
    }
  }

  async #send(copy: WaitingCopy, sending: number): Promise<void> {
    this.#waiting.delete(copy);
    this.#sending.set(copy.model, sending + 1);
    await copy.send();
    const left = (this.#sending.get(copy.model) ?? 1) - 1;
    if (left === 0) this.#sending.delete(copy.model);
    else this.#sending.set(copy.model, left);
    this.#sendSoon();
  }

  #drop(copy: WaitingCopy, reason: DropReason): void {
    this.#waiting.delete(copy);
    copy.drop(reason);
  }

  #dropOldest(reason: DropReason): boolean {
    const [oldest] = this.#waiting.keys();
    if (oldest) this.#drop(oldest, reason);
    return oldest !== undefined;
  }
}
