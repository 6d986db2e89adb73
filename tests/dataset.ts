/** The clothing data set and the tensors of 200 of its photos, in the folder `shared` beside the repository. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = new URL('../../shared/', import.meta.url);

/** Photos (CC0) by split and class. */
export const PHOTOS = new URL('data/clothing-dataset-small/', BESIDE);
/** The tensors that the Python libraries compute for 200 of them. */
export const EXPECTED = new URL('golden/dataset.json', BESIDE);

const TEST_SPLIT = fileURLToPath(new URL('test/', PHOTOS));

/** Test options: skips with a reason if the data set is missing. */
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

/** The bytes of a photo of the test split. */
export function readPhoto(name: string): Promise<Buffer> {
  return readFile(path.join(TEST_SPLIT, name));
}
