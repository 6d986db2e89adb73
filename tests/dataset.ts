/** The clothing data set, and the tensors of 200 of its photos, where they lie beside the repository: no part of it. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = new URL('../../shared/', import.meta.url);

/** CC0 photos by split and class. */
export const PHOTOS = new URL('data/clothing-dataset-small/', BESIDE);
/** What the Python libraries make of 200 of them. */
export const EXPECTED = new URL('golden/dataset.json', BESIDE);

const TEST_SPLIT = fileURLToPath(new URL('test/', PHOTOS));

/** For a test's options: the word to skip with where there is no data set. */
export const needsDataset = [PHOTOS, EXPECTED].every((url) => existsSync(url))
  ? {}
  : { skip: 'the clothing data set is not beside the repository' };

export type Photo = { readonly label: string; readonly name: string };

/** The photos of the test split, by class and name. */
export async function testPhotos(): Promise<Photo[]> {
  const files = await readdir(TEST_SPLIT, { recursive: true });
  return files
    .filter((file) => file.endsWith('.jpg'))
    .sort()
    .map((file) => ({ label: path.dirname(file), name: file }));
}

/** A photo's bytes, by its name within the test split. */
export function readPhoto(name: string): Promise<Buffer> {
  return readFile(path.join(TEST_SPLIT, name));
}
