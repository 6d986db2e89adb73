/** Serialized messages that pass through the gateway. */

/** Free bytes before a message: enough for a pinned version in its head, and for gRPC's prefix. */
export const HEAD_ROOM = 64;

/**
 * A serialized message: the bytes of `memory` from `start` to `end`. Those before `start`, HEAD_ROOM or more, are free: a
 * longer head is written there, without a copy of the rest.
 */
export type RoomyMessage = {
  readonly memory: ArrayBuffer;
  readonly start: number;
  readonly end: number;
};

/**
 * Gives the memory back at once: waiting for the garbage collector would have it stop everything else more often. Only when
 * nothing reads the message any more, and no call sends it.
 */
export function freeMessage({ memory }: RoomyMessage): void {
  memory.transfer(0);
}

/** The bytes of the message; they share its memory. */
export function bytesOf({ memory, start, end }: RoomyMessage): Uint8Array {
  return new Uint8Array(memory, start, end - start);
}
