/** The pictures of folders, by the hash that the prediction log has of them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../../config/read.ts';

/** Files by the SHA-256 of their bytes, in hex. */
export type Pictures = ReadonlyMap<string, string>;

/** Reads every file in the folders. Throws ConfigError for a folder that does not exist. */
export async function picturesIn(folders: readonly string[]): Promise<Pictures> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    const about = await stat(folder).catch(() => undefined);
    if (!about?.isDirectory()) throw new ConfigError(`--pictures ${folder}: no such folder`);
    for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      found.set(hash.digest('hex'), file);
    }
  }
  return found;
}
