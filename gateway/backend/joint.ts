/** One Predict of several requests: each writes a row of it, waits for it with its own deadline, and may leave it alone. */
import { status } from '@grpc/grpc-js';
import type { OutputTensor, PredictCall, Prediction, RequestContext } from '../pipeline/request.ts';
import { failure } from './failure.ts';

export type JoiningOptions = {
  /** Milliseconds from the first row until the call is sent, where nothing sends it before. */
  readonly windowMs: number;
  /** Requests that are worked on, those that wait for a joint call included. */
  readonly inFlight: () => number;
};

export type JointOptions = JoiningOptions & {
  /** Holds `rows` instances. */
  readonly call: PredictCall;
  readonly rows: number;
  /** Called once, when there is no row left to take. */
  readonly onClose: () => void;
};

export type Row = { readonly joint: Joint; readonly index: number; readonly tensor: PredictCall['tensor'] };

/** Open from its making on until it is full, the window ends, or there is nobody else who could come. */
export class Joint {
  readonly #options: JointOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #members = new Set<RequestContext>();
  readonly #nobodyLeft = new AbortController();
  readonly #answer = Promise.withResolvers<Prediction>();
  #taken = 0;
  #asked = 0;
  #released = 0;
  #isSent = false;

  constructor(options: JointOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#send(), options.windowMs);
  }

  /** Takes the next row, which is to be written at once. */
  take(): Row {
    const { call, rows, onClose } = this.#options;
    const index = this.#taken;
    this.#taken += 1;
    if (this.#taken === rows) onClose();
    const length = call.tensor.length / rows;
    return { joint: this, index, tensor: call.tensor.subarray(index * length, (index + 1) * length) };
  }

  /** Too late for a row that was not asked for yet. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Rows of the call, those of requests that left included. */
  get count(): number {
    return this.#taken;
  }

  /**
   * The answer to all rows, for a request whose row is written. Throws what the call fails with; `model_timeout` at the
   * request's own deadline and `client_gone` when its client goes, neither of which ends the call while others wait for it.
   */
  async answer(context: RequestContext): Promise<Prediction> {
    const { signal } = context;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      this.#members.delete(context);
      if (this.#isSent && this.#members.size === 0) this.#nobodyLeft.abort(signal.reason);
      left.reject(failure({ code: status.CANCELLED, details: '', signal }, signal.reason));
    };
    this.#members.add(context);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    this.#asked += 1;
    if (this.#asked >= Math.min(this.#options.rows, this.#options.inFlight())) this.#send();
    try {
      return await Promise.race([this.#answer.promise, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** One request reads and writes nothing here any more. The memory is given back with the last of them. */
  release(): void {
    this.#released += 1;
    if (this.#released === this.#taken) this.#options.call.release();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#isSent = true;
    const { call, rows, onClose } = this.#options;
    if (this.#taken < rows) onClose();
    const members = [...this.#members];
    const [first] = members;
    if (!first) return;
    const deadlineMs = Math.max(...members.map((member) => member.deadlineMs));
    const context = { ...first, deadlineMs, signal: this.#nobodyLeft.signal };
    call.send(this.#taken, context).then(this.#answer.resolve, this.#answer.reject);
  }
}

/** A row's share of the answer to all `count`: the outputs that have a row for each; undefined where none has. */
export function shareOf({ version, outputs }: Prediction, index: number, count: number): Prediction | undefined {
  const own = new Map<string, OutputTensor>();
  for (const [name, { dtype, shape, values, strings }] of outputs) {
    if (strings || shape[0] !== count) continue;
    const length = values.length / count;
    const row = Array.from({ length }, (_, at) => values[index * length + at] ?? Number.NaN);
    own.set(name, { dtype, shape: [1, ...shape.slice(1)], values: row });
  }
  return own.size > 0 ? { version, outputs: own } : undefined;
}
