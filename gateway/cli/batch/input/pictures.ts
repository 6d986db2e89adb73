/** Pictures in a folder, or of a glob. */
import { glob, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Input, InputFile, Item, ReadPicture } from '../item.ts';

const EXTENSIONS: ReadonlySet<string> = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);

/** Whether a file is a picture by its extension. */
export const isPicture = (name: string): boolean => EXTENSIONS.has(path.extname(name).toLowerCase());

/** The pictures below a folder, by their extensions, in the order of their paths. Hidden files and folders are left out. */
export function folderInput(folder: string): Input {
  return {
    async *items() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => !entry.isDirectory() && isPicture(entry.name))
        .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
        .filter((file) => !file.split(path.sep).some((part) => part.startsWith('.')));
      yield* numbered(files, (file) => readFile(path.join(folder, file)));
    },
  };
}

/** The files of a glob, whatever their extensions, in the order of their paths. */
export function globInput(pattern: string): Input {
  return {
    async *items() {
      const entries = await Array.fromAsync(glob(pattern, { withFileTypes: true }));
      const files = entries
        .filter((entry) => !entry.isDirectory())
        .map(({ parentPath, name }) => path.relative('', path.join(parentPath, name)));
      yield* numbered(files, (file) => readFile(file));
    },
  };
}

/** The items of pictures by name, in the order of their names. */
export function numbered(names: readonly string[], read: (name: string) => ReturnType<ReadPicture>): Item[] {
  // By code units: the order is the same on every machine.
  const sorted = [...names].sort();
  return sorted.map((input, index) => ({ index, input, picture: () => read(input) }));
}

/** One picture. */
export function pictureInput({ file, name }: InputFile): Input {
  return {
    async *items() {
      yield* numbered([name], () => readFile(file));
    },
  };
}
