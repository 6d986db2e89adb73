/** The status that ended a call, whatever the server sent in its place. */
import { status } from '@grpc/grpc-js';
import type { Status } from './failure.ts';

/** Trailers may have 64 kB. More of the text is not kept: it is logged, and shown by the commands. */
const MAX_DETAILS_CHARACTERS = 1000;

/**
 * The status with one of gRPC's codes, 0 to 16. "If a client receives a status that is not defined, it should be treated as
 * UNKNOWN" (gRPC, "Status codes and their use in gRPC").
 */
export function receivedStatus({ code, details }: Status): Status {
  const text = details.slice(0, MAX_DETAILS_CHARACTERS);
  if (status[code] !== undefined) return { code, details: text };
  return { code: status.UNKNOWN, details: `the server sent the undefined status ${code}: ${text}` };
}
