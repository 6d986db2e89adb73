/** A Parquet file: each row is an instance. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, type Compressors, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { ConfigError } from '../../../config/read.ts';
import type { Input, InputFile, Item } from '../item.ts';

const compressors: Compressors = {
  GZIP: (bytes) => gunzipSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
  ZSTD: (bytes) => zstdDecompressSync(bytes),
};

/** Reads the rows, one row group in memory at a time. Null is left out; bytes are sent as base64. Throws ConfigError. */
export function parquetInput({ file: path, name }: InputFile): Input {
  return {
    async *items() {
      let index = 0;
      try {
        const file = await asyncBufferFromFile(path);
        const metadata = await parquetMetadataAsync(file);
        for (const { num_rows: rows } of metadata.row_groups) {
          const rowEnd = index + Number(rows);
          const range = { rowStart: index, rowEnd };
          for (const row of await parquetReadObjects({ file, metadata, compressors, utf8: false, ...range })) {
            const url = row.url;
            yield { index, json: jsonOf(row), ...(typeof url === 'string' && { input: url }) } satisfies Item;
            index += 1;
          }
        }
      } catch (cause) {
        throw new ConfigError(`${name}: row ${index}: cannot be read as Parquet: ${(cause as Error).message}`, {
          cause,
        });
      }
    },
  };
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value)); // as TF-Serving writes them
  if (value instanceof Uint8Array) return `{"b64":"${Buffer.from(value).toString('base64')}"}`;
  if (value instanceof Date || value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value as unknown[], jsonOf).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonOf(member)}`).join(',')}}`;
}
