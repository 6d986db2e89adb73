/** The prediction log of a test. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** How many lines are in the files of a folder so far. */
export async function linesIn(log: string): Promise<number> {
  const files = await readdir(log).catch((): string[] => []);
  const texts = await Promise.all(files.map((file) => readFile(path.join(log, file), 'utf8')));
  return texts.join('').split('\n').length - 1;
}
