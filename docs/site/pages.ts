/** The pages of the repository, and where their links lead. */
import { existsSync, statSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Page, readPage } from './markdown.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Folders that hold packages, what a command has made, or parts of model cards. */
const NOT_OURS = new Set(['node_modules', 'site', 'dist', 'release', 'work', 'card']);

export type File = Page & { readonly file: string; readonly text: string };

/** Every Markdown page by its path in the repository, such as `docs/settings.md`. */
export async function readPages(): Promise<ReadonlyMap<string, File>> {
  const files: string[] = [];
  const isOther = (name: string) => path.basename(name).startsWith('.') || NOT_OURS.has(path.basename(name));
  for await (const file of glob('**/*.md', { cwd: ROOT, exclude: isOther })) files.push(file);
  const read = async (file: string) => {
    const text = await readFile(path.join(ROOT, file), 'utf8');
    return [file, { ...readPage(text), file, text }] as const;
  };
  return new Map(await Promise.all(files.sort().map(read)));
}

/** Where a link of a page leads: a file of the repository and the anchor in it. Undefined for links to other places. */
export function targetOf(page: string, link: string): { readonly file: string; readonly anchor: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const { pathname, hash } = new URL(link, `file:///${page}`);
  const file = decodeURIComponent(pathname).slice(1).replace(/\/$/, '');
  return {
    file: isFolder(file) ? path.posix.join(file, 'README.md') : file,
    anchor: decodeURIComponent(hash.slice(1)),
  };
}

const isFolder = (file: string) => {
  const full = path.join(ROOT, file);
  return existsSync(full) && statSync(full).isDirectory();
};

/** The path of a page in the website. A README is the index of its folder. */
export const siteFile = (page: string): string =>
  page.replace(/(^|\/)README\.md$/, '$1index.md').replace(/\.md$/, '.html');
