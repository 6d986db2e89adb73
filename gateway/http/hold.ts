/** The memory of bodies, from their first byte to their answer: bounded for all of them together. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../errors.ts';

/** A body of no more is never refused: the URL of an image takes a hundred bytes. */
const SMALL_BYTES = 16 * 1024;

/** Ends the reading of a body, and lets go of what is here of it. */
export type Refuse = (error: GatewayError) => void;

/** Counts a body's bytes while they are in memory. Refuses it where the next ones have no room. */
export type Hold = (request: IncomingMessage, response: ServerResponse, refuse: Refuse) => void;

/**
 * Makes the count. Bytes count once they are here: a length that is only declared would let whoever declares the most keep
 * everybody out. So the most that is held is `maxBytes`, and a small body of each connection.
 */
export function createHold(maxBytes: number): Hold {
  let heldBytes = 0;
  return (request, response, refuse) => {
    let ownBytes = 0;
    const release = () => {
      request.off('data', count);
      heldBytes -= ownBytes;
      ownBytes = 0;
    };
    function count(chunk: Buffer): void {
      ownBytes += chunk.length;
      heldBytes += chunk.length;
      if (heldBytes <= maxBytes || ownBytes <= SMALL_BYTES) return;
      release();
      const detail = 'The gateway holds as many bytes of requests as it can; try again later.';
      refuse(new GatewayError('overloaded', detail, { isUnavailable: true }));
    }
    request.on('data', count);
    response.once('close', release);
  };
}
