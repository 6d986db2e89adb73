/** JSON for tests: a string, which is read into its length. */
import type { JsonFormat } from './format.ts';

export const format: JsonFormat<undefined, number> = {
  module: import.meta.url,
  example: '"text"',
  limits: () => ({ maxDepth: 1, maxValues: 1 }),
  read: (value) => String(value).length,
  memory: () => [],
};
