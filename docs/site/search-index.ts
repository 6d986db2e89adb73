/** What the search of the website searches: every section of every page. */
import MiniSearch from 'minisearch';
import { type File, siteFile } from './pages.ts';

/** How the index is made and read; the page of the browser has the same. */
export const SEARCH_OPTIONS = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] };

/** The index as JSON. The id of a section is its address in the website. */
export function searchIndex(pages: Iterable<File>): string {
  const index = new MiniSearch(SEARCH_OPTIONS);
  for (const { file, title: page, sections } of pages) {
    for (const { title, anchor, text } of sections) index.add({ id: `${siteFile(file)}#${anchor}`, title, page, text });
  }
  return JSON.stringify(index);
}
