/** Builds multipart/form-data bodies (RFC 7578), valid or not. */

export type Part = {
  readonly name: string;
  /** Further header lines, each ending with CRLF. */
  readonly headers: string;
  readonly bytes: Uint8Array;
};

const BOUNDARY = 'tensorgate-drill';

/** The body and its Content-Type. */
export function form(parts: readonly Part[]): { readonly type: string; readonly body: Buffer } {
  const pieces = parts.flatMap(({ name, headers, bytes }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\n${headers}\r\n`,
      'latin1',
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const body = Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  return { type: `multipart/form-data; boundary=${BOUNDARY}`, body };
}
