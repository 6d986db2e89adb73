/** The fenced blocks of a Markdown page. */

export type Block = {
  /** The word after the fence, such as `sh`. */
  readonly language: string;
  readonly text: string;
  /** The line of its fence, from 1. */
  readonly line: number;
  /** Of the comment before the block, `<!-- run: needs a cloud -->`, which a reader does not see. */
  readonly run: string | undefined;
};

/** A fenced block, and the comment right before it. */
const BLOCK = /^(?:<!-- run: (.*) -->\n)?```(\w*)\n([\s\S]*?)^```$/gm;

/** Reads the blocks in the order of the page. */
export function blocksIn(page: string): readonly Block[] {
  return [...page.matchAll(BLOCK)].map(({ 0: whole, 1: run, 2: language = '', 3: text = '', index }) => {
    const fence = index + whole.indexOf('```');
    return { language, text, line: page.slice(0, fence).split('\n').length, run };
  });
}
