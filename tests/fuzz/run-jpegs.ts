/**
 * `npm run fuzz:jpegs PYTHON [FOLDER]`: compares the gateway's JPEG decoder with Pillow: on all photos of a folder, then
 * on mutants for FUZZ_SECONDS (default: an hour). PYTHON has Pillow. A difference is written to the corpus.
 */
import { randomInt } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { decodeWholeJpeg } from '../../gateway/image/jpeg/whole.ts';
import { saveFinding } from './fuzz.ts';
import { checkJpeg, jpeg } from './jpeg.ts';
import { JPEG_WORDS, jpegSeeds } from './jpeg-seeds.ts';
import { mutants } from './mutants.ts';
import { type PillowPicture, startPillow } from './pillow.ts';

const BATCH = 500;
const REPORT_EVERY = 100_000;
const MAX_PHOTO_PIXELS = 1e8;

const [python, folder] = process.argv.slice(2);
if (!python) throw new Error('usage: npm run fuzz:jpegs PYTHON [FOLDER]');
const pillow = startPillow(python);

type Decoded = ReturnType<typeof decodeWholeJpeg>;

/** Whether Pillow has the same pixels; of a file that is cut off, none. */
function isSame(decoded: Decoded, expected: PillowPicture): boolean {
  if (typeof decoded === 'string') return expected === undefined;
  const { width, height, data } = decoded;
  return expected?.width === width && expected.height === height && expected.crc32 === crc32(data);
}

const isLeft = (decoded: Decoded) => typeof decoded === 'string' && decoded !== 'cut off';

async function comparePhotos(root: string): Promise<void> {
  const count = { photos: 0, exact: 0, left: 0 };
  for await (const name of glob('**/*.{jpg,jpeg,JPG}', { cwd: root })) {
    const file = await readFile(path.join(root, name));
    const pixels = decodeWholeJpeg(file, 3, MAX_PHOTO_PIXELS);
    count.photos += 1;
    if (isLeft(pixels)) count.left += 1;
    else if (isSame(pixels, await pillow.read(file))) count.exact += 1;
    else console.error(`${name}: other pixels than Pillow`);
  }
  console.log(`${count.photos} photos: ${count.exact} exact, ${count.left} left to sharp`);
  if (count.exact + count.left < count.photos) process.exitCode = 1;
}

async function compareMutant(input: Buffer): Promise<'left' | 'exact' | 'found'> {
  try {
    const pixels = checkJpeg(input);
    if (isLeft(pixels)) return 'left';
    if (isSame(pixels, await pillow.read(input))) return 'exact';
    throw new Error('other pixels than Pillow');
  } catch (error) {
    console.error(`${fileURLToPath(await saveFinding(jpeg, { input, error }))}: ${error}`);
    process.exitCode = 1;
    return 'found';
  }
}

async function compareMutants(endMs: number): Promise<void> {
  const inputs = mutants(await jpegSeeds(), JPEG_WORDS);
  const count = { left: 0, exact: 0, found: 0 };
  const report = () =>
    console.log(`mutants: ${count.exact} exact, ${count.left} left to sharp, ${count.found} findings`);
  let batches = 0;
  while (performance.now() < endMs) {
    const batch = fc.sample(inputs, { seed: randomInt(2 ** 31), numRuns: BATCH });
    for (const verdict of await Promise.all(batch.map(compareMutant))) count[verdict] += 1;
    batches += 1;
    if ((batches * BATCH) % REPORT_EVERY === 0) report();
  }
  report();
}

if (folder) await comparePhotos(folder);
await compareMutants(performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 3600));
pillow.close();
