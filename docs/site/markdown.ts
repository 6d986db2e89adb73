/** Markdown as GitHub renders it, and what links need to know of a page: its title, its headings and its links. */
import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';
import type Token from 'markdown-it/lib/token.mjs';

/** A heading and the text below it, up to the next heading. */
export type Section = {
  readonly level: number;
  readonly title: string;
  readonly anchor: string;
  readonly text: string;
};
export type Page = {
  readonly title: string;
  readonly sections: readonly Section[];
  /** Targets of links and pictures, as they are written. */
  readonly links: readonly string[];
};

/** Attributes of HTML inside of a page that name another file. */
const HTML_LINKS = /\b(?:href|src|srcset)="([^"]+)"/g;

/** The renderer: each heading has the id that GitHub gives it. */
export function createMarkdown(): MarkdownIt {
  const markdown = new MarkdownIt({ html: true, linkify: true });
  // A name such as `model.yaml` is no address.
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  markdown.core.ruler.push('heading-ids', ({ tokens }) => {
    const slugger = new GithubSlugger();
    for (const [at, token] of tokens.entries()) {
      if (token.type === 'heading_open') token.attrSet('id', slugger.slug(textOf(tokens[at + 1])));
    }
  });
  return markdown;
}

/** Reads a page. */
export function readPage(text: string): Page {
  const tokens = createMarkdown().parse(text, {});
  const sections = sectionsOf(tokens);
  return { title: sections[0]?.title ?? '', sections, links: tokens.flatMap(linksOf) };
}

function sectionsOf(tokens: readonly Token[]): readonly Section[] {
  const sections: (Section & { text: string })[] = [];
  for (const [at, token] of tokens.entries()) {
    const isTitle = tokens[at - 1]?.type === 'heading_open';
    if (token.type === 'heading_open') {
      const level = Number(token.tag.slice(1));
      sections.push({ level, title: textOf(tokens[at + 1]), anchor: String(token.attrGet('id')), text: '' });
    } else if (!isTitle) {
      const last = sections.at(-1);
      if (last !== undefined) last.text += `${textOf(token)} `;
    }
  }
  return sections;
}

/** The text of a token without marks. */
function textOf(token: Token | undefined): string {
  if (token === undefined) return '';
  if (token.children !== null && token.type === 'inline') return token.children.map(textOf).join('');
  if (token.type === 'softbreak' || token.type === 'hardbreak') return ' ';
  return ['text', 'code_inline', 'code_block', 'fence'].includes(token.type) ? token.content : '';
}

function linksOf(token: Token): readonly string[] {
  const own = [token.attrGet('href'), token.attrGet('src')].filter((link) => link !== null);
  const isHtml = token.type === 'html_block' || token.type === 'html_inline';
  const inHtml = isHtml ? [...token.content.matchAll(HTML_LINKS)].map(([, link = '']) => link) : [];
  return [...own, ...inHtml, ...(token.children ?? []).flatMap(linksOf)];
}
