/** Pictures in a folder, or of a glob. */
import { glob, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Input, Item } from '../item.ts';

const PICTURES: ReadonlySet<string> = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);

/** The pictures below a folder, by their extensions, in the order of their paths. Hidden files and folders are left out. */
export function folderInput(folder: string): Input {
  return {
    async *items() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => !entry.isDirectory() && PICTURES.has(path.extname(entry.name).toLowerCase()))
        .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
        .filter((file) => !file.split(path.sep).some((part) => part.startsWith('.')));
      yield* numbered(files, (file) => path.join(folder, file));
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
      yield* numbered(files, (file) => file);
    },
  };
}

function numbered(files: readonly string[], pathOf: (file: string) => string): Item[] {
  // By code units: the order is the same on every machine.
  const sorted = [...files].sort();
  return sorted.map((input, index) => ({ index, input, file: pathOf(input) }));
}

/** One picture. */
export function pictureInput(file: string): Input {
  return {
    async *items() {
      yield { index: 0, input: file, file };
    },
  };
}
