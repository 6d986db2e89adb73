/** Text files with one item a line: instances as JSON, or URLs. Empty lines do not count. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigError } from '../../../config/read.ts';
import type { Input, InputFile, Item } from '../item.ts';

/** NDJSON: the text of a line is sent as it is, so no number is rounded. Throws ConfigError with the line that is no JSON. */
export function ndjsonInput(from: InputFile): Input {
  return linesInput(from, (line, place) => {
    try {
      const { url } = (JSON.parse(line) ?? {}) as { readonly url?: unknown };
      return { json: line, ...(typeof url === 'string' && { input: url }) };
    } catch (cause) {
      throw new ConfigError(`${place}: needs one JSON value a line`, { cause });
    }
  });
}

/** A list of URLs of pictures, which the gateway downloads. Throws ConfigError with the line that is no URL. */
export function urlsInput(from: InputFile): Input {
  return linesInput(from, (line, place) => {
    if (!/^[a-z][a-z\d+.-]*:\/\//i.test(line)) throw new ConfigError(`${place}: needs one URL a line`);
    return { json: JSON.stringify({ url: line }), input: line };
  });
}

type Content = { readonly json: string; readonly input?: string };

function linesInput({ file, name }: InputFile, read: (line: string, place: string) => Content): Input {
  return {
    async *items() {
      let number = 0;
      let index = 0;
      for await (const raw of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        number += 1;
        const line = (number === 1 ? raw.replace(/^\uFEFF/, '') : raw).trim();
        if (line === '') continue;
        yield { index, ...read(line, `${name}:${number}`) } satisfies Item;
        index += 1;
      }
    },
  };
}
