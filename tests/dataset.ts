/** The clothing data set, where it lies beside the repository: CC0 photos that are not part of it. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../shared/data/clothing-dataset-small/', import.meta.url));

/** For a test's options: the word to skip with where there is no data set. */
export const needsDataset = existsSync(FOLDER) ? {} : { skip: 'the clothing data set is not beside the repository' };

export type Photo = { readonly label: string; readonly name: string };

/** The photos of the test split, by class and name. */
export async function testPhotos(): Promise<Photo[]> {
  const files = await readdir(path.join(FOLDER, 'test'), { recursive: true });
  return files
    .filter((file) => file.endsWith('.jpg'))
    .sort()
    .map((file) => ({ label: path.dirname(file), name: file }));
}

/** A photo's bytes, by its name within the test split. */
export function readPhoto(name: string): Promise<Buffer> {
  return readFile(path.join(FOLDER, 'test', name));
}
