/** The part of Eleventy's programming interface that docs/site uses; the package has no types. */
declare module '@11ty/eleventy' {
  import type MarkdownIt from 'markdown-it';

  export type UserConfig = {
    addTemplate(file: string, content: string, data: Readonly<Record<string, unknown>>): void;
    addPassthroughCopy(files: Readonly<Record<string, string>>): void;
    setIncludesDirectory(folder: string): void;
    setLibrary(engine: 'md', library: MarkdownIt): void;
    setTemplateFormats(formats: readonly string[]): void;
    setUseGitIgnore(use: boolean): void;
  };
  type Options = { readonly quietMode: boolean; readonly configPath: false; config(user: UserConfig): void };

  export class Eleventy {
    constructor(input: string, output: string, options: Options);
    /** Rejects if a page cannot be written. */
    write(): Promise<void>;
  }
}
