/** Traces by W3C Trace Context (https://www.w3.org/TR/trace-context/), without any library of traces. */
import { randomUUID } from 'node:crypto';

export type Trace = {
  /** 32 hexadecimal digits: those that the client sent, or new ones. */
  readonly id: string;
  /** 16 hexadecimal digits: the span that is the parent of what is called. */
  readonly spanId: string;
  /** Whether the trace is recorded. */
  readonly isSampled: boolean;
  /** What the client's systems of traces add, as `tracestate` has it. */
  readonly state?: string | undefined;
};

/** The headers of W3C Trace Context, of any form. */
export type TraceHeaders = { readonly traceparent: string | undefined; readonly tracestate: string | undefined };

/** Version 00. A later version may add fields behind the flags (3.2.4). */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** The client's trace and span. Undefined for a missing or invalid `traceparent` (3.2.2.3): then `tracestate` does not count either. */
export function clientTrace({ traceparent = '', tracestate }: TraceHeaders): Trace | undefined {
  const [, version, id, spanId, flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (id === undefined || spanId === undefined || (version === '00' && more !== undefined)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { id, spanId, isSampled, state: validState(tracestate) };
}

/** A trace that is not recorded. */
export function newTrace(): Trace {
  return { id: randomHex(), spanId: randomHex().slice(-16), isSampled: false };
}

/** 32 random digits: those of a UUID, which Node has at hand. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

/** The header `traceparent` of what the gateway calls for the request. */
export function traceparentOf({ id, spanId, isSampled }: Trace): string {
  return `00-${id}-${spanId}-${isSampled ? '01' : '00'}`;
}

const MAX_MEMBERS = 32;
/** What must be passed on at least (3.3.1.5). */
const MAX_STATE_LENGTH = 512;
/** `key=value` (3.3.1.3): a value is printable ASCII without comma and equals sign, and does not end with a space. */
const MEMBER = /^[\da-z][\da-z_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The members, the newest first. Undefined where one is invalid. Of a long list the oldest are left out. */
function validState(tracestate: string | undefined): string | undefined {
  if (!tracestate) return undefined;
  const members = tracestate
    .split(',')
    .map((member) => member.trimStart().replace(/[ \t]+$/, ''))
    .filter((member) => member !== '');
  if (members.length > MAX_MEMBERS || !members.every((member) => MEMBER.test(member))) return undefined;
  while (members.join(',').length > MAX_STATE_LENGTH) members.pop();
  return members.join(',') || undefined;
}
