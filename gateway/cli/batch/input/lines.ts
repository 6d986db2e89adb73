/** Text files with one item a line: instances as JSON, or URLs. Empty lines do not count. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigError } from '../../../config/read.ts';
import type { Input, Item } from '../item.ts';

/** NDJSON: the text of a line is sent as it is, so no number is rounded. Throws ConfigError with the line that is no JSON. */
export function ndjsonInput(file: string): Input {
  return linesInput(file, (line, place) => {
    try {
      const { url } = (JSON.parse(line) ?? {}) as { readonly url?: unknown };
      return { json: line, ...(typeof url === 'string' && { input: url }) };
    } catch (cause) {
      throw new ConfigError(`${place}: needs one JSON value a line`, { cause });
    }
  });
}

/** A list of URLs of pictures, which the gateway downloads. Throws ConfigError with the line that is no URL. */
export function urlsInput(file: string): Input {
  return linesInput(file, (line, place) => {
    if (!/^[a-z][a-z\d+.-]*:\/\//i.test(line)) throw new ConfigError(`${place}: needs one URL a line`);
    return { json: JSON.stringify({ url: line }), input: line };
  });
}

type Content = { readonly json: string; readonly input?: string };

function linesInput(file: string, read: (line: string, place: string) => Content): Input {
  return {
    async *items() {
      let number = 0;
      let index = 0;
      for await (const raw of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        number += 1;
        const line = (number === 1 ? raw.replace(/^\uFEFF/, '') : raw).trim();
        if (line === '') continue;
        yield { index, ...read(line, `${file}:${number}`) } satisfies Item;
        index += 1;
      }
    },
  };
}
