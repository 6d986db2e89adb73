/** The golden images as seeds. */
import { readdir, readFile } from 'node:fs/promises';

const FOLDER = new URL('../golden/images/', import.meta.url);
const MAX_SEED_BYTES = 60_000;

/** The first `count` golden images in formats that can be decoded, without bombs and files above MAX_SEED_BYTES. */
export async function goldenImages(count: number): Promise<Buffer[]> {
  const names = (await readdir(FOLDER)).filter((name) => /\.(jpg|png|webp|gif|avif|tif)$/.test(name));
  const small = names.filter((name) => !name.startsWith('bomb-')).sort();
  const files = await Promise.all(small.map((name) => readFile(new URL(name, FOLDER))));
  return files.filter(({ length }) => length <= MAX_SEED_BYTES).slice(0, count);
}
