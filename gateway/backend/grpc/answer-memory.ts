/** The memory of the answers of all model servers together. An answer is counted by its announced length, before it arrives. */
import type { RequestContext } from '../../domain/request.ts';
import { GatewayError } from '../../errors.ts';
import { TOO_LARGE } from './failure.ts';

/** The memory of all answers. */
export type AnswerBudget = { readonly maxBytes: number; open(): Share };

export type AnswerLimits = {
  /** The most bytes of an answer for each instance. */
  readonly maxOutputBytes: number;
  /** Bounds all answers together. Unset: nothing does. */
  readonly answers?: AnswerBudget | undefined;
};

type Share = { readonly bytes: number; take(bytes: number): boolean; give(bytes: number): void; release(): void };

/** The memory of the answers to one call: of each attempt, and of the tensors that are read from them. */
export class AnswerMemory {
  readonly #maxBytes: number;
  readonly #share: Share;
  #isReleased = false;

  constructor(budget: AnswerBudget) {
    this.#maxBytes = budget.maxBytes;
    this.#share = budget.open();
  }

  /**
   * Counts bytes. Throws `overloaded` (503, for all clients) where other answers have the memory, and `model_failed` where all of
   * it is too little.
   */
  readonly take = (bytes: number): void => {
    if (!this.#isReleased && this.#share.take(bytes)) return;
    if (this.#share.bytes + bytes > this.#maxBytes) throw new GatewayError(...TOO_LARGE);
    const detail = 'The memory for answers of model servers is full; try again later.';
    throw new GatewayError('overloaded', detail, { isUnavailable: true });
  };

  /** Gives back the bytes of an attempt that failed. */
  give(bytes: number): void {
    if (!this.#isReleased) this.#share.give(bytes);
  }

  /** Gives back all. An attempt that has not ended yet gets nothing more. */
  readonly release = (): void => {
    this.#isReleased = true;
    this.#share.release();
  };
}

/** Runs a call. What it takes is counted until the end of its request, or of the call if that fails. */
export async function withAnswerMemory<T>(
  budget: AnswerBudget | undefined,
  context: Pick<RequestContext, 'onEnd'>,
  call: (memory: AnswerMemory | undefined) => Promise<T>,
): Promise<T> {
  if (!budget) return call(undefined);
  const memory = new AnswerMemory(budget);
  try {
    const answer = await call(memory);
    context.onEnd(memory.release);
    return answer;
  } catch (thrown) {
    memory.release();
    throw thrown;
  }
}
