/** Bodies that turn out to be no valid HTTP/1.1 while their request is handled: it is refused as any other. */
import type { IncomingMessage } from 'node:http';
import type { GatewayError } from '../errors.ts';

const EVENT = 'tensorgateBroken';

const broken = new WeakMap<IncomingMessage, GatewayError>();

/** Nothing more of the body can be read: tells who reads it, now or later. */
export function breakBody(request: IncomingMessage, error: GatewayError): void {
  broken.set(request, error);
  request.emit(EVENT, error);
}

/** Whether the rest of the body cannot be read. */
export const isBroken = (request: IncomingMessage): boolean => broken.has(request);

/** Calls the listener when the body breaks, or now if it is broken. */
export function onBroken(request: IncomingMessage, listener: (error: GatewayError) => void): void {
  const error = broken.get(request);
  if (error) listener(error);
  else request.once(EVENT, listener);
}
