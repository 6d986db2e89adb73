/** Admission: so many requests at once, so many waiting, and an early refusal for the rest. */
import { GatewayError } from '../errors.ts';

export type AdmissionLimits = { readonly maxInFlight: number; readonly maxQueue: number };

export type Admission = {
  /** Runs `work` when a place is free. Throws `overloaded` at once when the queue is full; leaves the queue on abort. */
  admit<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly inFlight: number;
  readonly queued: number;
};

/** The error for a request whose time was up, or whose client had gone, before a stage with words of its own was at work. */
export function cutOff({ reason }: AbortSignal): GatewayError {
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new GatewayError('overloaded', 'There was no room for the request before its deadline; try again later.', {
      cause: reason,
    });
  }
  return new GatewayError('client_gone', 'The client closed the connection.', { cause: reason });
}

/** A counting semaphore with a bounded first-in-first-out queue. A freed place is handed on, never raced for. */
export function createAdmission({ maxInFlight, maxQueue }: AdmissionLimits): Admission {
  const waiting = new Set<() => void>();
  let inFlight = 0;

  function enter(signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) throw cutOff(signal);
    if (inFlight < maxInFlight) {
      inFlight += 1;
      return undefined;
    }
    if (waiting.size >= maxQueue) {
      throw new GatewayError('overloaded', 'The gateway has as many requests as it can take; try again later.');
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(start);
        reject(cutOff(signal));
      };
      const start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.add(start);
    });
  }

  function exit(): void {
    const [next] = waiting;
    if (next === undefined) {
      inFlight -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async admit(signal, work) {
      await enter(signal);
      try {
        return await work();
      } finally {
        exit();
      }
    },
    get inFlight() {
      return inFlight;
    },
    get queued() {
      return waiting.size;
    },
  };
}
