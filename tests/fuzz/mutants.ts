/** Inputs of the fuzzers: seeds with a few edits. As fast-check arbitraries they shrink a finding to the needed edits. */
import fc from 'fast-check';

type Edit = (bytes: Buffer) => Buffer;

/** Boundary values of lengths, sizes and offsets. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** An offset: half of them near the start, where headers are. */
const place = fc.oneof(fc.nat(64), fc.nat());
const length = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4096 }));

const within = (bytes: Buffer, at: number) => at % (bytes.length + 1);
const head = (bytes: Buffer, at: number) => bytes.subarray(0, within(bytes, at));

/** Overwrites bytes in place, without growing the buffer. */
function put(bytes: Buffer, at: number, values: Uint8Array): Buffer {
  const start = within(bytes, at);
  bytes.set(values.subarray(0, bytes.length - start), start);
  return bytes;
}

function insert(bytes: Buffer, at: number, values: Uint8Array): Buffer {
  return Buffer.concat([head(bytes, at), values, bytes.subarray(within(bytes, at))]);
}

const write = fc.constantFrom(put, insert);

const flip = fc.tuple(place, fc.nat(7)).map(([at, bit]): Edit => {
  return (bytes) => put(bytes, at, Buffer.of((bytes[within(bytes, at)] ?? 0) ^ (1 << bit)));
});
const noise = fc
  .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 8 }), write)
  .map(([at, values, change]): Edit => {
    return (bytes) => change(bytes, at, values);
  });
const edge = fc
  .tuple(place, fc.constantFrom(...EDGES), fc.constantFrom(1, 2, 3, 4), fc.boolean())
  .map(([at, value, width, littleEndian]): Edit => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(value);
    const digits = littleEndian ? number.reverse().subarray(0, width) : number.subarray(4 - width);
    return (bytes) => put(bytes, at, digits);
  });
const cut = place.map((at): Edit => {
  return (bytes) => head(bytes, at);
});
const drop = fc.tuple(place, length).map(([at, count]): Edit => {
  return (bytes) => Buffer.concat([head(bytes, at), bytes.subarray(within(bytes, at) + count)]);
});
const repeat = fc.tuple(place, length, place).map(([from, count, to]): Edit => {
  return (bytes) => insert(bytes, to, bytes.subarray(within(bytes, from), within(bytes, from) + count));
});

function splice(seeds: readonly Buffer[]): fc.Arbitrary<Edit> {
  return fc.tuple(place, fc.constantFrom(...seeds)).map(([at, other]): Edit => {
    return (bytes) => Buffer.concat([head(bytes, at), other.subarray(within(other, at))]);
  });
}

function word(words: readonly string[]): fc.Arbitrary<Edit> {
  const one = fc.constantFrom(...words.map((text) => Buffer.from(text, 'latin1')));
  return fc.tuple(place, one, write).map(([at, text, change]): Edit => {
    return (bytes) => change(bytes, at, text);
  });
}

/**
 * Seeds with one to eight edits each: flipped bits, random bytes, boundary values, cuts, copies, the tail of another
 * seed, and `words` of the format (Latin-1).
 */
export function mutants(seeds: readonly Buffer[], words: readonly string[] = []): fc.Arbitrary<Buffer> {
  const edits = [flip, noise, edge, cut, drop, repeat, splice(seeds), ...(words.length > 0 ? [word(words)] : [])];
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.oneof(...edits), { minLength: 1, maxLength: 8 }))
    .map(([seed, list]) => list.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(seed)));
}
