/** Builds the website of the documentation into the folder `site` (`make site`). */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eleventy, type UserConfig } from '@11ty/eleventy';
import { createMarkdown } from './markdown.ts';
import { type Group, groupsIn, INDEX } from './navigation.ts';
import { type File, ROOT, readPages, siteFile, targetOf } from './pages.ts';
import { searchIndex } from './search-index.ts';

/** Relative to the root, as Eleventy wants it. */
const HERE = 'docs/site';
const MERMAID = path.relative(ROOT, fileURLToPath(import.meta.resolve('@mermaid-js/tiny')));
const MINISEARCH = path.relative(ROOT, fileURLToPath(import.meta.resolve('minisearch')));

/** Writes the website into a folder, which is emptied before. */
export async function buildSite(output: string): Promise<void> {
  const pages = await readPages();
  const groups = groupsIn(pages.get(INDEX)?.text ?? '');
  await rm(output, { recursive: true, force: true });
  const before = process.cwd();
  process.chdir(ROOT);
  try {
    const site = new Eleventy(HERE, output, {
      quietMode: true,
      configPath: false,
      config: (user) => configure(user, pages, groups),
    });
    await site.write();
  } finally {
    process.chdir(before);
  }
  await mkdir(path.join(output, 'assets'), { recursive: true });
  await writeFile(path.join(output, 'assets/search.json'), searchIndex(pages.values()));
}

function configure(user: UserConfig, pages: ReadonlyMap<string, File>, groups: readonly Group[]): void {
  user.setUseGitIgnore(false);
  user.setIncludesDirectory('templates');
  user.setTemplateFormats(['md']);
  user.setLibrary('md', markdownOfSite(pages));
  user.addPassthroughCopy({
    [`${HERE}/assets/*.{css,js}`]: 'assets',
    [MERMAID]: 'assets/mermaid.js',
    [MINISEARCH]: 'assets/minisearch.js',
  });
  user.addPassthroughCopy(linkedFiles(pages));
  for (const page of pages.values()) {
    user.addTemplate(`${HERE}/${page.file}`, page.text, {
      ...contextOf(page, groups),
      file: page.file,
      permalink: siteFile(page.file),
      layout: 'page.liquid',
      templateEngineOverride: 'md',
    });
  }
}

/** What the template shows beside the text. Addresses are relative, so that the website works below any path. */
function contextOf({ file, title, sections, text }: File, groups: readonly Group[]) {
  const root = path.posix.relative(path.posix.dirname(siteFile(file)), '.') || '.';
  const navigation = groups.map((group) => ({
    title: group.title,
    entries: group.entries.map((entry) => ({
      title: entry.title,
      url: `${root}/${siteFile(entry.file)}`,
      isCurrent: entry.file === file,
    })),
  }));
  const outline = sections.filter(({ level }) => level === 2);
  return { title, root, navigation, outline, hasDiagrams: /^```mermaid$/m.test(text) };
}

/** Files that pages link to and that are no pages: pictures, programs, manifests. */
function linkedFiles(pages: ReadonlyMap<string, File>): Readonly<Record<string, string>> {
  const files = [...pages.values()].flatMap(({ file, links }) =>
    links.flatMap((link) => targetOf(file, link)?.file ?? []),
  );
  return Object.fromEntries(files.filter((file) => !pages.has(file)).map((file) => [file, file]));
}

/** Links to pages become links to their HTML, and diagrams are drawn by `assets/diagrams.js`. What may be wider than the page can be scrolled by keyboard. */
function markdownOfSite(pages: ReadonlyMap<string, File>) {
  const markdown = createMarkdown();
  markdown.core.ruler.push('scrolling', ({ tokens }) => {
    for (const token of tokens) if (token.type === 'table_open') token.attrSet('tabindex', '0');
  });
  const { rules } = markdown.renderer;
  for (const name of ['fence', 'code_block'] as const) {
    const render = rules[name];
    rules[name] = (tokens, at, ...about) => {
      const { info = '', content = '' } = tokens[at] ?? {};
      if (info === 'mermaid') return `<pre class="mermaid" tabindex="0">${markdown.utils.escapeHtml(content)}</pre>\n`;
      return render?.(tokens, at, ...about).replace('<pre>', '<pre tabindex="0">') ?? '';
    };
  }
  markdown.core.ruler.push('site-links', ({ tokens, env }) => {
    const page = (env as { file: string }).file;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const link = token.attrGet('href');
      const target = link === null ? undefined : targetOf(page, link);
      if (target === undefined || !pages.has(target.file)) continue;
      const url = path.posix.relative(path.posix.dirname(page), siteFile(target.file));
      token.attrSet('href', target.anchor === '' ? url : `${url}#${target.anchor}`);
    }
  });
  return markdown;
}

if (import.meta.main) await buildSite(path.join(ROOT, 'site'));
