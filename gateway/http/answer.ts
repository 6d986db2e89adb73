/** The response of a handler, for the door to send. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A list: pieces that are sent one after the other, without a copy. */
  readonly body: string | Uint8Array | readonly Uint8Array[];
};

/** A body as pieces, and its bytes in all. */
export function piecesOf(body: Answer['body']): { readonly pieces: readonly (string | Uint8Array)[]; bytes: number } {
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
  return { pieces, bytes: pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0) };
}
