/** Reads an input once before anything is sent: mistakes show early, and a resumed batch is known to have the same input. */
import { createHash } from 'node:crypto';
import { ConfigError } from '../../config/read.ts';
import type { Input } from './item.ts';

/** `fingerprint`: a hash of all instances, or of the names of all pictures. */
export type Survey = { readonly total: number; readonly fingerprint: string };

/** Counts the items. Throws ConfigError for an empty input and for a mistake in it. */
export async function surveyOf(input: Input, name: string): Promise<Survey> {
  const hash = createHash('sha256');
  let total = 0;
  for await (const item of input.items()) {
    hash.update(`${'picture' in item ? item.input : item.json}\n`);
    total += 1;
  }
  if (total === 0) throw new ConfigError(`${name}: has nothing to predict`);
  return { total, fingerprint: hash.digest('hex') };
}
