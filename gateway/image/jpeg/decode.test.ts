/** How a decode is called. tests/golden/jpegs.test.ts has its pixels. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeJpeg, type JpegFrame, type JpegReader, type JpegSelection } from './decode.ts';
import { decodeWholeJpeg } from './whole.ts';

const read = (name: string) => readFileSync(new URL(`../../../tests/golden/images/${name}`, import.meta.url));

const upTo = (length: number) => Int32Array.from({ length }, (_, i) => i);
const whole = ({ width, height }: JpegFrame): JpegSelection => ({
  columns: upTo(width),
  rows: upTo(height),
  channels: 3,
});
const nothing = () => undefined;

/** The part of WebAssembly that is used: TypeScript has its types only in its library for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { readonly f: () => void } };
};

/** A program with one function, f, which is `unreachable`. */
const TRAP = Buffer.from('0061736d0100000001040160000003020100070501016600000a05010300000b', 'hex');
const trap = () => new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports.f();

test('the frame tells size, gray and several scans', () => {
  const frames = ['jpg-420.jpg', 'jpg-gray.jpg', 'jpg-gray-progressive.jpg'].map((name) => {
    let seen: JpegFrame | undefined;
    const select = (frame: JpegFrame) => {
      seen = frame;
      return undefined;
    };
    assert.equal(decodeJpeg(read(name), { select, take: nothing }), 'declined');
    return seen;
  });
  assert.deepEqual(frames, [
    { width: 400, height: 533, isGray: false, isKept: false },
    { width: 192, height: 156, isGray: true, isKept: false },
    { width: 184, height: 150, isGray: true, isKept: true },
  ]);
});

test('rows come in order and in parts that stay in the cache', () => {
  let next = 0;
  let largest = 0;
  const take: JpegReader['take'] = (samples, first, count) => {
    assert.equal(first, next);
    assert.equal(samples.length, count * 3000 * 3);
    next += count;
    largest = Math.max(largest, samples.length);
  };
  assert.equal(decodeJpeg(read('jpg-3000x2000.jpg'), { select: whole, take }), 'ok');
  assert.equal(next, 2000);
  assert.ok(largest <= 2 ** 16);
});

test('rows and columns may be asked for again and again', () => {
  const file = read('jpg-420.jpg');
  const all = decodeWholeJpeg(file, 3, 1e6);
  const rows: Uint8Array[] = [];
  const select = () =>
    ({ columns: new Int32Array(40_000).fill(399), rows: new Int32Array(5).fill(7), channels: 3 }) as const;
  assert.equal(decodeJpeg(file, { select, take: (samples) => rows.push(samples.slice()) }), 'ok');
  assert.ok(typeof all === 'object');
  const pixel = all.data.subarray(3 * (7 * 400 + 399), 3 * (7 * 400 + 400));
  const samples = Buffer.concat(rows);
  assert.equal(samples.length, 5 * 40_000 * 3);
  for (let at = 0; at < samples.length; at += 3) assert.deepEqual(samples.subarray(at, at + 3), Buffer.from(pixel));
});

test('pixels that do not ascend within the picture are a RangeError', () => {
  const selections: [columns: number[], rows: number[]][] = [
    [[0, 400], [0]],
    [[-1, 0], [0]],
    [[5, 4], [0]],
    [[], [0]],
    [[0], []],
    [[0], [533]],
  ];
  for (const [columns, rows] of selections) {
    const select = () => ({ columns: Int32Array.from(columns), rows: Int32Array.from(rows), channels: 3 }) as const;
    assert.throws(() => decodeJpeg(read('jpg-420.jpg'), { select, take: nothing }), RangeError);
  }
});

test('a reader that throws in the middle leaves no trace in the next picture', () => {
  const file = read('jpg-420.jpg');
  const expected = decodeWholeJpeg(file, 3, 1e6);
  const take = () => {
    throw new Error('stop');
  };
  assert.throws(() => decodeJpeg(file, { select: whole, take }), /stop/);
  assert.deepEqual(decodeWholeJpeg(file, 3, 1e6), expected);
});

test('files that are cut off are known for it, and leave no trace in the next picture', () => {
  const file = read('jpg-420.jpg');
  const expected = decodeWholeJpeg(file, 3, 1e6);
  for (let cut = 700; cut < file.length; cut += 997) {
    assert.equal(decodeWholeJpeg(file.subarray(0, cut), 3, 1e6), 'cut off');
    assert.deepEqual(decodeWholeJpeg(file, 3, 1e6), expected);
  }
});

test('a trap is an answer, and leaves no trace in the next picture', () => {
  const file = read('jpg-420.jpg');
  const expected = decodeWholeJpeg(file, 3, 1e6);
  assert.equal(decodeJpeg(file, { select: whole, take: trap }), 'trap');
  assert.deepEqual(decodeWholeJpeg(file, 3, 1e6), expected);
});

test('a reader may decode another picture', () => {
  const file = read('jpg-420.jpg');
  let inner: ReturnType<typeof decodeWholeJpeg> | undefined;
  const parts: Uint8Array[] = [];
  const take: JpegReader['take'] = (samples) => {
    inner = decodeWholeJpeg(read('jpg-gray.jpg'), 1, 1e6);
    parts.push(samples.slice());
  };
  assert.equal(decodeJpeg(file, { select: whole, take }), 'ok');
  assert.deepEqual(inner, decodeWholeJpeg(read('jpg-gray.jpg'), 1, 1e6));
  const alone = decodeWholeJpeg(file, 3, 1e6);
  assert.ok(typeof alone === 'object');
  assert.deepEqual(Buffer.concat(parts), Buffer.from(alone.data));
});

test('a picture of more pixels than allowed is left alone', () => {
  assert.equal(decodeWholeJpeg(read('jpg-420.jpg'), 3, 400 * 533 - 1), 'declined');
  assert.equal(typeof decodeWholeJpeg(read('jpg-420.jpg'), 3, 400 * 533), 'object');
});

test('a small file that declares a large picture takes no memory', () => {
  assert.equal(decodeJpeg(read('bomb-jpg-65500x65500-declared.jpg'), { select: whole, take: nothing }), 'damaged');
});

test('more pixels than memory is given for', () => {
  const select = () => ({ columns: new Int32Array(2 ** 20 + 1), rows: Int32Array.of(0), channels: 3 }) as const;
  assert.equal(decodeJpeg(read('jpg-8x8.jpg'), { select, take: nothing }), 'no memory');
});
