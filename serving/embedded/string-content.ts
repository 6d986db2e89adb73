/** `tensor_content` of a string tensor: the length of each string as a varint, then the bytes of all strings. */

/** The strings, or undefined if the content has not exactly `count` of them. */
export function splitStrings(content: Buffer, count: number): Buffer[] | undefined {
  // Each string takes a byte or more. This bounds the work for a large count.
  if (count > content.length) return undefined;
  const lengths: number[] = [];
  let at = 0;
  for (let length = 0, shift = 0; lengths.length < count; at++) {
    const byte = content[at];
    if (byte === undefined) return undefined;
    length += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte >= 128) continue;
    lengths.push(length);
    length = 0;
    shift = 0;
  }
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (at + total !== content.length) return undefined;
  return lengths.map((length) => {
    at += length;
    return content.subarray(at - length, at);
  });
}

/** The content of a tensor with these strings. */
export function joinStrings(strings: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(strings.flatMap(({ length }) => varint(length))), ...strings]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
