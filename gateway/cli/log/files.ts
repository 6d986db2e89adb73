/** The files of prediction logs, and their lines. */
import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../config/read.ts';

/** The files of files and folders, those of a folder in the order of their names. Throws ConfigError for a path that does not exist. */
export async function filesOf(paths: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(paths.map(filesIn))).flat();
}

/** Of a folder also the files that are still written. */
async function filesIn(given: string): Promise<string[]> {
  const about = await stat(given).catch(() => undefined);
  if (!about) throw new ConfigError(`${given}: no such file or folder`);
  if (!about.isDirectory()) return [given];
  const names = await Array.fromAsync(glob('*.jsonl{,.part}', { cwd: given }));
  return names.sort().map((name) => path.join(given, name));
}

type Kind = 'prediction' | 'feedback';

/** The lines of a file that may be of a kind: other lines, as those of the log on stdout, need no parsing. */
export async function* linesOf(file: string, kind: Kind): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of createReadStream(file, 'utf8')) {
    // readline takes U+2028 as the end of a line too, and JSON does not escape it.
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.includes(`"${kind}"`)) yield line;
  }
  if (rest.includes(`"${kind}"`)) yield rest;
}

/** The value of a line. Undefined for half a line. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whether a line that cannot be read is one of the log: its kind is at its beginning. */
export function isOfKind(line: string, kind: Kind): boolean {
  return line.startsWith(`{"kind":"${kind}"`);
}
