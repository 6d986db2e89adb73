/** Finds what INPUT is: a folder, a glob, a file by its extension, or the same in a bucket. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../../config/read.ts';
import { isBucketText } from '../../../fetch/bucket/url.ts';
import type { Input, InputFile } from '../item.ts';
import type { Scratch } from '../scratch.ts';
import { csvInput } from './csv.ts';
import { ndjsonInput, urlsInput } from './lines.ts';
import { parquetInput } from './parquet.ts';
import { folderInput, globInput, pictureInput } from './pictures.ts';

type OpenFile = (from: InputFile, texts: ReadonlySet<string>) => Input;

/** The files of instances, by extension. */
const FORMS: Readonly<Record<string, OpenFile>> = {
  '.ndjson': ndjsonInput,
  '.jsonl': ndjsonInput,
  '.txt': urlsInput,
  '.csv': csvInput,
  '.parquet': parquetInput,
};

export type OpenOptions = {
  /** The model's inputs of strings, for CSV. */
  readonly texts: ReadonlySet<string>;
  readonly scratch: Scratch;
};

/** Opens the input. Throws ConfigError for what is none of the forms, and Refused if a bucket cannot be read. */
export async function openInput(input: string, { texts, scratch }: OpenOptions): Promise<Input> {
  if (isBucketText(input)) {
    const { openBucketInput } = await import('../bucket/input.ts');
    return openBucketInput(input, scratch, (from) => openFile(from, texts));
  }
  const stat = statSync(input, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return folderInput(input);
  if (stat) return openFile({ file: input, name: input }, texts);
  if (/[*?{[]/.test(input)) return globInput(input);
  const forms = `a folder, a glob in quotes, or a file with ${Object.keys(FORMS).join(', ')}`;
  throw new ConfigError(`${input}: no such file or folder; INPUT is ${forms}`);
}

/** A file that has none of the extensions is a picture. */
function openFile(from: InputFile, texts: ReadonlySet<string>): Input {
  const open = FORMS[path.extname(from.name).toLowerCase()] ?? pictureInput;
  return open(from, texts);
}
