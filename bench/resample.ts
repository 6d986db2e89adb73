/**
 * Compares resizing with Pillow, in CPU-ms per image: from JPEG bytes to the scaled tensor, row by row as in the gateway,
 * against Pillow and numpy; and the resize alone, also in plain TypeScript. Rounds alternate, to spread the effect of other load on the machine.
 *
 *   node bench/resample.ts PYTHON
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createConverter } from '../gateway/image/converter.ts';
import { decode } from '../gateway/image/decode.ts';
import { free } from '../gateway/image/free.ts';
import { resizeWhole } from '../gateway/image/resample/feed.ts';
import { geometryOf } from '../gateway/image/resample/geometry.ts';
import { passes8 } from '../gateway/image/resample/passes.ts';
import { createPillowResize } from '../gateway/image/resample/pillow.ts';
import { FILTERS } from '../gateway/image/resample/pillow-tables.ts';
import { createResampler } from '../gateway/image/resample.ts';
import { restrictSharp } from '../gateway/image/restrict-sharp.ts';
import { testSpec } from '../gateway/image/test-spec.ts';
import { median } from './load.ts';

const ROUNDS = 15;
const IMAGES = 40;
const METHODS = ['nearest', 'bilinear', 'bicubic', 'lanczos'] as const;
const PHOTO = fileURLToPath(new URL('../tests/golden/images/jpg-420.jpg', import.meta.url));
const REFERENCE = fileURLToPath(new URL('reference/resample.py', import.meta.url));

restrictSharp(['jpeg']);
const photo = await readFile(PHOTO);
const options = {
  field: 'image',
  color: 'rgb',
  engine: 'pillow',
  formats: ['jpeg'],
  maxPixels: 1e6,
  maxBytes: 10e6,
} as const;
const pixels = await decode(photo, options);
const out = new Float32Array(299 * 299 * 3);

/**
 * Makes glibc's allocator keep freed memory, as the gateway does. With its defaults it returns a megabyte to the system
 * after each image or never, depending on the heap layout: 400 page faults per image or 10, which is 2 ms of Pillow's 6
 * or nothing.
 */
const env = { ...process.env, MALLOC_TRIM_THRESHOLD_: String(2 ** 28), MALLOC_MMAP_THRESHOLD_: String(2 ** 28) };
const python = spawn(process.argv[2] ?? 'python3', [REFERENCE, PHOTO], { env, stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: python.stdout });

/** CPU-ms per image in Python. */
async function pillow(work: 'whole' | 'alone', method: string): Promise<number> {
  const line = once(lines, 'line');
  python.stdin.write(`${work} ${method} ${IMAGES}\n`);
  return Number((await line)[0]);
}

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < IMAGES; i++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / IMAGES;
}

/** Takes the measures in turn for ROUNDS rounds, after one warm-up round. Resolves to the median of each. */
async function medians(measures: readonly (() => Promise<number>)[]): Promise<number[]> {
  for (const measure of measures) await measure();
  const rounds = measures.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [which, measure] of measures.entries()) rounds[which]?.push(await measure());
  }
  return rounds.map(median);
}

function worksOf(resize: (typeof METHODS)[number]) {
  const spec = testSpec({ resize });
  const resample = createResampler(spec);
  const converter = createConverter(spec);
  const whole = () => converter.jpeg(photo, out);
  const alone = () => free(resample(pixels).data);
  if (resize === 'nearest') return { whole, alone, plain: alone };
  const plain = createPillowResize(FILTERS[resize], spec.pillow, 2 ** 20, passes8);
  const samples = 3 * spec.size[0] * spec.size[1];
  const resizePlain = () =>
    free(resizeWhole(pixels, (source, emit) => plain(source, geometryOf(pixels, spec), emit), samples));
  return { whole, alone, plain: resizePlain };
}

console.log('| method | whole | Pillow + numpy | ratio | resize alone | in plain TypeScript | Pillow | ratio |');
console.log('|--|--|--|--|--|--|--|--|');
for (const method of METHODS) {
  const { whole, alone, plain } = worksOf(method);
  const wholes = await medians([() => cpuMs(whole), () => pillow('whole', method)]);
  const [ours, theirs] = wholes as [number, number];
  const alones = await medians([() => cpuMs(alone), () => cpuMs(plain), () => pillow('alone', method)]);
  const [simd, slow, pillows] = alones as [number, number, number];
  const cells = [ours, theirs, ours / theirs, simd, slow, pillows, simd / pillows];
  console.log(`| ${[method, ...cells.map((cell) => cell.toFixed(2))].join(' | ')} |`);
}
python.stdin.end();
