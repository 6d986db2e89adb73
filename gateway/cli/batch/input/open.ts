/** Finds what INPUT is: a folder, a glob, or a file by its extension. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../../config/read.ts';
import type { Input } from '../item.ts';
import { csvInput } from './csv.ts';
import { ndjsonInput, urlsInput } from './lines.ts';
import { parquetInput } from './parquet.ts';
import { folderInput, globInput, pictureInput } from './pictures.ts';

/** The files of instances, by extension. */
const FORMS: Readonly<Record<string, (file: string, texts: ReadonlySet<string>) => Input>> = {
  '.ndjson': ndjsonInput,
  '.jsonl': ndjsonInput,
  '.txt': urlsInput,
  '.csv': csvInput,
  '.parquet': parquetInput,
};

/** Opens the input. `texts`: the model's inputs of strings, for CSV. Throws ConfigError for what is none of the forms. */
export function openInput(input: string, texts: ReadonlySet<string>): Input {
  const stat = statSync(input, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return folderInput(input);
  const open = FORMS[path.extname(input).toLowerCase()];
  if (stat && open) return open(input, texts);
  if (stat) return pictureInput(input);
  if (/[*?{[]/.test(input)) return globInput(input);
  const forms = `a folder, a glob in quotes, or a file with ${Object.keys(FORMS).join(', ')}`;
  throw new ConfigError(`${input}: no such file or folder; INPUT is ${forms}`);
}
