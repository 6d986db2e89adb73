/** Responses that the gateway cannot use. */
import { GatewayError } from '../../errors.ts';
import { MalformedMessage } from '../../tensor/field-reader.ts';

/** The error for a response that is no message; any other thrown value as it is. The client does not see the cause; the log does. */
export function asUnreadable(thrown: unknown): unknown {
  if (!(thrown instanceof MalformedMessage)) return thrown;
  return new GatewayError('model_failed', 'The model server sent a response that cannot be read.', { cause: thrown });
}

/** The result of `read`. Throws `model_failed` in place of MalformedMessage. */
export function readable<Message>(read: () => Message): Message {
  try {
    return read();
  } catch (thrown) {
    throw asUnreadable(thrown);
  }
}
