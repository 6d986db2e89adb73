/** Bounds the DATA frames that a connection may send for its bytes: each costs time, whatever its size. */
import { constants, type ServerHttp2Stream } from 'node:http2';

/** Pieces of a call that do not count: short messages are one frame, sometimes two. */
const FREE_OF_CALL = 4;
const FREE_OF_CONNECTION = 1024;
/** Clients send frames of 16 kB. */
const MIN_PIECE_BYTES = 64;

/** Counts the pieces of one call as they arrive. A connection with too many is closed with ENHANCE_YOUR_CALM. */
export function createPieceCounter(): (stream: ServerHttp2Stream, bytes: number) => void {
  const connections = new WeakMap<object, { pieces: number; bytes: number }>();
  const calls = new WeakMap<object, number>();
  return (stream, bytes) => {
    const { session } = stream;
    if (!session) return;
    const ofCall = (calls.get(stream) ?? 0) + 1;
    calls.set(stream, ofCall);
    const sent = connections.get(session) ?? { pieces: 0, bytes: 0 };
    connections.set(session, sent);
    if (ofCall > FREE_OF_CALL) sent.pieces += 1;
    sent.bytes += bytes;
    if (sent.pieces <= FREE_OF_CONNECTION + sent.bytes / MIN_PIECE_BYTES) return;
    session.destroy(new Error('a message in crumbs'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
}
