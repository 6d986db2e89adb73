import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { until } from '../../tests/until.ts';
import { readConfig } from '../config/read.ts';
import { ELEMENTS } from '../domain/elements.ts';
import type { FreeRows, ImageSpec } from '../domain/picture.ts';
import type { InputArray, PixelType } from '../domain/tensor.ts';
import { decoderMemory } from '../machine/decoder-memory.ts';
import { createPool } from '../tensor/pool.ts';
import { decode } from './decode.ts';
import { createNormaliser } from './normalise.ts';
import { openPictures, type Pictures, type PicturesOptions } from './pictures.ts';
import { createResampler } from './resample.ts';
import { testSpec } from './test-spec.ts';

const read = (name: string) => readFileSync(new URL(`../../tests/golden/images/${name}`, import.meta.url));
const [small, large, png] = ['jpg-420.jpg', 'jpg-3000x2000.jpg', 'png-rgb8.png'].map(read) as [Buffer, Buffer, Buffer];
/** Nine million pixels, interlaced. */
const slow = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'teal' } })
  .png({ progressive: true })
  .toBuffer();

const SPEC = testSpec({ size: [40, 30] });
const { imageFormats: formats } = readConfig({}, {});
const LIMITS = { formats, maxPixels: 50e6, maxBytes: 10e6 };
const log = { debug() {}, info() {}, warn() {}, error() {} };

type Opened = Pictures & {
  readonly losses: string[];
  /** Resolves to the row, and what decoded it. */
  ask(bytes: Uint8Array, spec?: ImageSpec, type?: PixelType, signal?: AbortSignal): Promise<[InputArray, string]>;
};

function start(t: TestContext, change: Partial<PicturesOptions> = {}): Opened {
  const losses: string[] = [];
  const options = { ...LIMITS, count: 2, pixelsAtOnce: 100e6, timeoutMs: 20_000, memory: createPool(0), log };
  const pictures = openPictures({ ...options, onLoss: (why) => losses.push(why), ...change });
  t.after(pictures.close);
  return Object.assign(pictures, {
    losses,
    async ask(
      bytes: Uint8Array,
      spec = SPEC,
      type: PixelType = 'DT_FLOAT',
      signal = new AbortController().signal,
    ): Promise<[InputArray, string]> {
      const row = new ELEMENTS[type](spec.size[0] * spec.size[1] * (spec.color === 'rgb' ? 3 : 1));
      let filled = 0;
      const rows: FreeRows = {
        type,
        fill(write) {
          if (write(row)) filled += 1;
        },
      };
      const decoder = await pictures.fillRow({ bytes, spec, field: 'file' }, rows, { signal });
      assert.equal(filled, 1);
      return [row, decoder];
    },
  });
}

/** The row of a picture that is decoded, resized and scaled as a whole. */
async function whole(bytes: Uint8Array, spec: ImageSpec, type: PixelType): Promise<InputArray> {
  const { color, engine, size } = spec;
  const pixels = createResampler(spec)(await decode(bytes, { ...LIMITS, field: 'x', color, engine }));
  const row = new ELEMENTS[type](size[0] * size[1] * (color === 'rgb' ? 3 : 1));
  createNormaliser(spec)(pixels, row);
  return row;
}

test('JPEGs of the main thread and of threads, and others in processes, give the same rows as a whole decode', async (t) => {
  const pictures = start(t);
  const changes: [Partial<ImageSpec>, PixelType][] = [
    [{}, 'DT_FLOAT'],
    [{ scale: 'none' }, 'DT_UINT8'],
    [{ resize: 'bilinear', layout: 'NCHW' }, 'DT_FLOAT'],
    [{ resize: 'lanczos', fit: { pad: [1, 2, 3], place: 'center' }, scale: 'caffe' }, 'DT_HALF'],
    [{ resize: 'bicubic', engine: 'tensorflow', fit: 'crop', scale: 'none' }, 'DT_UINT8'],
    [{ resize: 'area', engine: 'tensorflow', color: 'grayscale', fit: { shorter: 60 } }, 'DT_BFLOAT16'],
  ];
  for (const [change, type] of changes) {
    const spec = { ...SPEC, ...change };
    for (const [bytes, decoder] of [
      [small, 'jpeg'],
      [large, 'jpeg'],
      [png, 'sharp'],
    ] as const) {
      assert.deepEqual(await pictures.ask(bytes, spec, type), [await whole(bytes, spec, type), decoder]);
    }
  }
});

test('JPEGs need no process; one starts with the first other picture, and ends after a rest', async (t) => {
  const pictures = start(t, { restMs: 50 });
  await pictures.ask(small);
  await pictures.ask(large);
  assert.deepEqual([pictures.pids, pictures.problem], [[], undefined]);
  await pictures.ask(png);
  await until(() => pictures.pids.length === 0);
  assert.equal((await pictures.ask(png))[1], 'sharp');
  assert.deepEqual(pictures.losses, []);
});

test('a JPEG that is cut off is refused at once; one that jpeg/ leaves alone is decided by sharp', async (t) => {
  const pictures = start(t, { count: 1 });
  const unreadable = { kind: 'image_unreadable', message: 'file is damaged or cut off; save it again.' };
  for (const bytes of [small, large]) await assert.rejects(pictures.ask(bytes.subarray(0, -2000)), unreadable);
  assert.deepEqual(pictures.pids, []);
  const damaged = Buffer.from(small).fill(0, 200, 600);
  assert.equal((await pictures.ask(damaged))[1], 'sharp');
  assert.equal((await pictures.ask(read('jpg-cmyk.jpg')))[1], 'sharp');
  assert.deepEqual(pictures.losses, []);
});

test('C17: a JPEG over DECODE_TIMEOUT is refused and its thread ended; others are not affected', async (t) => {
  const quick = start(t, { count: 2, timeoutMs: 15 });
  const spec = testSpec({ size: [2500, 2500], resize: 'lanczos' });
  const asked = [1, 2, 3, 4].map(() => quick.ask(large, spec));
  assert.equal((await quick.ask(small))[1], 'jpeg');
  for (const outcome of await Promise.allSettled(asked)) {
    assert.ok(outcome.status === 'rejected');
    assert.equal(outcome.reason.kind, 'image_unreadable');
    assert.match(outcome.reason.message, /takes more than 15 ms to decode/);
  }
  assert.deepEqual(quick.losses, ['timeout', 'timeout', 'timeout', 'timeout']);
});

test('A07: a thread that starts has its picture time again', async (t) => {
  const pictures = start(t, { count: 1, timeoutMs: 1000 });
  await pictures.ask(large);
  const untilMs = performance.now() + 1500;
  const asked = pictures.ask(large);
  await new Promise(setImmediate);
  while (performance.now() < untilMs);
  await asked; // it was answered while the event loop was late
  assert.deepEqual(pictures.losses, []);
});

test('a request aborted while its picture waits or is decoded fails with its reason, and ends nothing', async (t) => {
  const pictures = start(t, { count: 1 });
  for (const bytes of [slow, large, small]) {
    const gone = new AbortController();
    const ask = () => pictures.ask(bytes, SPEC, 'DT_FLOAT', gone.signal);
    const asked = [ask(), ask()];
    const next = pictures.ask(bytes);
    gone.abort(new DOMException('gone', 'AbortError'));
    for (const outcome of await Promise.allSettled([...asked, ask()])) {
      assert.deepEqual([outcome.status, 'reason' in outcome && outcome.reason.name], ['rejected', 'AbortError']);
    }
    await next;
  }
  assert.deepEqual(pictures.losses, []);
});

test('C18: 32 photos of 12 megapixels at once take turns, and memory stays within the rule', async (t) => {
  const progressive = await sharp(large).resize(4000, 3000).jpeg({ progressive: true }).toBuffer();
  const pictures = start(t);
  await pictures.ask(small);
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  await Promise.all(Array.from({ length: 32 }, () => pictures.ask(progressive)));
  clearInterval(watch);
  // What the rule has for two such pictures by sharp, without the processes.
  const limit = decoderMemory(2, 12e6, Number.POSITIVE_INFINITY).mostBytes - decoderMemory(2, 0, 0).neededBytes;
  t.diagnostic(`came: ${Math.round((peak - before) / 1e6)} MB more, of ${Math.round(limit / 1e6)}`);
  assert.ok(peak - before < limit);
  assert.deepEqual([pictures.losses, pictures.pids], [[], []]);
});

test('without JPEG there is a problem until a process has decoded a picture', async (t) => {
  const pictures = start(t, { formats: ['png'] });
  assert.match(pictures.problem ?? '', /no image has been decoded yet/);
  await until(() => pictures.problem === undefined);
  assert.equal(pictures.pids.length, 1);
});
