/** Seeds of the JPEG fuzzers: the files of tests/golden, and tokens that random bytes would rarely produce. */
import { readFile } from 'node:fs/promises';
import { goldenImages } from './golden-images.ts';

const JPEGS = new URL('../golden/jpegs.json', import.meta.url);

/** Every kind of JPEG, the common ones more than once. */
export async function jpegSeeds(): Promise<Buffer[]> {
  const { images } = JSON.parse(await readFile(JPEGS, 'utf8')) as { images: Record<string, { file: string }> };
  const made = Object.values(images).map(({ file }) => Buffer.from(file, 'base64'));
  const photos = (await goldenImages(200)).filter((file) => file[0] === 0xff && file.length < 20_000);
  return [...made, ...photos];
}

/** Markers with the first bytes of their segments. */
export const JPEG_WORDS: readonly string[] = [
  ...['\xff\x00', '\xff\xd8', '\xff\xd9', '\xff\xd0', '\xff\xd7', '\xff\xff', '\xff\x01', '\xff\xdc\0\x04\0\x08'],
  ...[
    '\xff\xc0\0\x11\x08',
    '\xff\xc1\0\x11\x08',
    '\xff\xc2\0\x11\x08',
    '\xff\xc4',
    '\xff\xdb\0\x43\0',
    '\xff\xdd\0\x04\0\x01',
  ],
  ...[
    '\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0',
    '\xff\xda\0\x08\x01\x01\0\x01\x3f\0',
    '\xff\xda\0\x08\x01\x01\0\x01\x05\x21',
  ],
];
