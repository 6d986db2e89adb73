/** Reads configuration files in protobuf's text format. */

import { readFile } from 'node:fs/promises';
import { invalidArgument, notFound, StatusError } from './status.ts';
import { type Message, parseTextFormat, type Schema } from './text-format.ts';

/** @throws StatusError NOT_FOUND, INVALID_ARGUMENT (with the line number and what was expected) or UNKNOWN */
export async function readTextFile<const S extends Schema>(path: string, schema: S): Promise<Message<S>> {
  try {
    return parseTextFormat(await readFile(path, 'utf8'), schema);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidArgument(`Invalid protobuf file: '${path}': ${error.message}`);
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? notFound(`${path}; No such file or directory`)
      : new StatusError('UNKNOWN', `${path}; ${message}`, { cause: error });
  }
}
