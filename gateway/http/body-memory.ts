/** Bounds the memory of all request bodies together. A body counts from its first byte until the response is closed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../errors.ts';
import { ByteBudget } from '../machine/byte-budget.ts';

/** A body up to this size is never refused. A body with the URL of an image has about a hundred bytes. */
const SMALL_BYTES = 16 * 1024;

/** Stops reading a body and frees what has arrived of it. */
export type Refuse = (error: GatewayError) => void;

/**
 * Counts a body's bytes as they arrive. Refuses it as `overloaded` when the next ones do not fit. The returned function
 * gives them back: call it when what has arrived is dropped.
 */
export type CountBody = (request: IncomingMessage, response: ServerResponse, refuse: Refuse) => () => void;

/**
 * Bounds all bodies to `maxBytes`, plus a small body for each connection. Counts received bytes, not Content-Length:
 * otherwise a few clients that declare large bodies and send nothing could block all others.
 */
export function boundBodyMemory(maxBytes: number): CountBody {
  const budget = new ByteBudget(maxBytes);
  return (request, response, refuse) => {
    const share = budget.open();
    const release = () => {
      request.off('data', count);
      share.release();
    };
    function count({ length }: Buffer): void {
      if (share.take(length)) return;
      if (share.bytes + length <= SMALL_BYTES) {
        share.takeAlways(length);
        return;
      }
      release();
      const detail = 'The memory for request bodies is full; try again later.';
      refuse(new GatewayError('overloaded', detail, { isUnavailable: true }));
    }
    request.on('data', count);
    response.once('close', release);
    return release;
  };
}
