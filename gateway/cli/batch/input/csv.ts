/** A CSV file with a header (RFC 4180): each row is an instance. */
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { ConfigError } from '../../../config/read.ts';
import type { Input, InputFile, Item } from '../item.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LITERALS: ReadonlySet<string> = new Set(['true', 'false']);

/**
 * Reads the rows. A cell of a column in `texts`, the model's inputs of strings, stays text. Another cell that looks like a number
 * or a boolean becomes one. An empty cell that is no text is left out. Throws ConfigError with the line of a mistake.
 */
export function csvInput({ file, name }: InputFile, texts: ReadonlySet<string>): Input {
  return {
    async *items() {
      const rows = createReadStream(file).pipe(parse({ bom: true, columns: true, skip_empty_lines: true }));
      let index = 0;
      try {
        for await (const row of rows as AsyncIterable<Readonly<Record<string, string>>>) {
          yield { index, json: recordOf(row, texts), ...(row.url && { input: row.url }) } satisfies Item;
          index += 1;
        }
      } catch (cause) {
        if (cause instanceof CsvError) throw new ConfigError(`${name}: ${cause.message}`, { cause });
        throw cause;
      }
    },
  };
}

function recordOf(row: Readonly<Record<string, string>>, texts: ReadonlySet<string>): string {
  const members = Object.entries(row).flatMap(([name, cell]) => {
    if (texts.has(name)) return `${JSON.stringify(name)}:${JSON.stringify(cell)}`;
    return cell === '' ? [] : `${JSON.stringify(name)}:${jsonOf(cell)}`;
  });
  return `{${members.join(',')}}`;
}

/** The text of a number is sent as it is, so nothing is rounded. */
const jsonOf = (cell: string) => (NUMBER.test(cell) || LITERALS.has(cell) ? cell : JSON.stringify(cell));
