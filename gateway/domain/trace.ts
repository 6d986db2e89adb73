/** Traces by W3C Trace Context (https://www.w3.org/TR/trace-context/), without any library of traces. */
import { randomUUID } from 'node:crypto';

export type Trace = {
  /** 32 hexadecimal digits: those that the client sent, or new ones. */
  readonly id: string;
  /** 16 hexadecimal digits: the gateway's own span, which is the parent of what it calls. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly isSampled: boolean;
};

/** Version 00. A later version may add fields behind the flags (3.2.4). */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** The trace of a request by its header `traceparent`. A missing or invalid one starts a trace (3.2.2.3). */
export function openTrace(traceparent: string | undefined): Trace {
  const [, version, id, flags = '', more] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const spanId = randomHex().slice(-16);
  if (id === undefined || (version === '00' && more !== undefined)) {
    return { id: randomHex(), spanId, isSampled: false };
  }
  return { id, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** 32 random digits: those of a UUID, which Node has at hand. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

/** The header `traceparent` of what the gateway calls for the request. */
export function traceparentOf({ id, spanId, isSampled }: Trace): string {
  return `00-${id}-${spanId}-${isSampled ? '01' : '00'}`;
}
