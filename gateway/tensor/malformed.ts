/** Messages of clients that are not what they should be. */
import { GatewayError } from '../errors.ts';
import { MalformedMessage } from './field-reader.ts';

/** The error for a client's message that cannot be parsed; any other thrown value as it is. `what`: the message's name. */
export function asInvalidMessage(thrown: unknown, what: string): unknown {
  if (!(thrown instanceof MalformedMessage)) return thrown;
  return new GatewayError('invalid_request', `The message is not a ${what}: ${thrown.message}.`);
}
