/** Writes the output of a finished batch from its journal, in the order of the input. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { ConfigError } from '../../../config/read.ts';
import { parseExact } from '../exact.ts';
import type { Row } from '../row.ts';
import { type Column, Columns, recordOf } from './columns.ts';

/** Rows that are written at once: a row group of Parquet. */
const CHUNK = 10_000;

type Lines = () => Iterable<string>;
type Form = (lines: Lines, file: string) => Promise<void> | void;

const FORMS: Readonly<Record<string, Form>> = {
  '.ndjson': writeNdjson,
  '.jsonl': writeNdjson,
  '.csv': writeCsv,
  '.parquet': writeParquet,
};

/** The form of an output by its extension. Throws ConfigError for another one. */
export function outputForm(output: string): Form {
  const form = FORMS[path.extname(output).toLowerCase()];
  if (form) return form;
  throw new ConfigError(`--output ${output}: needs a file with ${Object.keys(FORMS).join(', ')}`);
}

/** Writes the output beside its place and then renames it: at any moment there is the whole file or none. */
export async function writeOutput(lines: Lines, output: string): Promise<void> {
  const part = `${output}.part`;
  await outputForm(output)(lines, part);
  const fd = openSync(part, 'r');
  fsyncSync(fd);
  closeSync(fd);
  renameSync(part, output);
}

function writeNdjson(lines: Lines, file: string): void {
  writeTexts(
    chunks(lines()).map((chunk) => `${chunk.join('\n')}\n`),
    file,
  );
}

/** A header, and RFC 4180's quotes. */
function writeCsv(lines: Lines, file: string): void {
  const columns = columnsOf(lines);
  const head = stringify([columns.map(({ name }) => name)]);
  const cast = { boolean: String };
  const rows = chunks(lines()).map((chunk) =>
    stringify(
      chunk.map((line) => recordOf(rowOf(line), columns)),
      { cast },
    ),
  );
  writeTexts(headed(head, rows), file);
}

async function writeParquet(lines: Lines, file: string): Promise<void> {
  const columns = columnsOf(lines);
  const writer = new ParquetWriter({ writer: fileWriter(file), schema: schemaOf(columns) });
  for (const chunk of chunks(lines())) {
    const records = chunk.map((line) => recordOf(rowOf(line), columns));
    const columnData = columns.map(({ name }, at) => ({ name, data: records.map((record) => record[at]) }));
    await writer.write({ columnData, rowGroupSize: CHUNK });
  }
  await writer.finish();
}

function columnsOf(lines: Lines): readonly Column[] {
  const columns = new Columns();
  for (const line of lines()) columns.add(rowOf(line));
  return columns.list();
}

/** One level of optional columns. Text has its annotation, by which readers know that it is UTF-8. */
function schemaOf(columns: readonly Column[]): SchemaElement[] {
  const root = { name: 'root', num_children: columns.length };
  const elements = columns.map(({ name, type }): SchemaElement => {
    const element = { name, repetition_type: 'OPTIONAL' } as const;
    return type === 'STRING' ? { ...element, type: 'BYTE_ARRAY', converted_type: 'UTF8' } : { ...element, type };
  });
  return [root, ...elements];
}

const rowOf = (line: string) => parseExact(line) as Row;

function* headed(head: string, rows: Iterable<string>): Generator<string> {
  yield head;
  yield* rows;
}

function* chunks(lines: Iterable<string>): Generator<string[], undefined> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function writeTexts(texts: Iterable<string>, file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (const text of texts) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    }
  } finally {
    closeSync(fd);
  }
}
