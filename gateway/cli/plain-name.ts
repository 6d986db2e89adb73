/** Text of clients and models as a terminal may show it. */
import { escapeInvisible } from '../observe/log.ts';

/** A name of at most `length` characters. What a terminal would interpret is escaped. */
export function plainName(text: string, length = 40): string {
  return escapeInvisible(JSON.stringify(text.slice(0, length)).slice(1, -1));
}
