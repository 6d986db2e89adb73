/** What to say to a request that was ended from outside while nothing with words of its own was at work. */
import { GatewayError } from '../errors.ts';

/** The error for a request whose time was up, or whose client had gone. */
export function cutOff({ reason }: AbortSignal): GatewayError {
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new GatewayError('overloaded', 'There was no room for the request before its deadline; try again later.', {
      cause: reason,
    });
  }
  return new GatewayError('client_gone', 'The client closed the connection.', { cause: reason });
}
