/**
 * API keys: reads the file that lists them, finds the entry of a key, makes new keys. A key has 256 random bits, so its
 * SHA-256 cannot be reversed by guessing. Slow hashes are for passwords; they would cost each request about 0.1 s.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { readSmallFileSync } from '../domain/small-file.ts';
import { type Rate, rate } from './rate.ts';

/** One entry of the file. Several entries can have the same name: add the new key, then remove the old one. */
export type Key = {
  readonly name: string;
  readonly digest: Buffer;
  /** Milliseconds since 1970. From then on the key is refused. */
  readonly expiresMs?: number | undefined;
  /** Replaces RATE_LIMIT for this key. */
  readonly rate?: Rate | undefined;
  /** Requests per UTC day. */
  readonly quota?: number | undefined;
};

/** The prefix of every key. People and secret scanners recognise a key by it. */
const PREFIX = 'tg_';
const KEY_BYTES = 32;

const name = z
  .string({ error: 'a name' })
  .regex(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, dots, dashes or underscores');
const entry = z.strictObject(
  {
    name,
    sha256: z
      .string({ error: 'the SHA-256 of the key (tensorgate keys new writes it)' })
      .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
      .transform((hex) => Buffer.from(hex, 'hex')),
    expires: z
      .union([z.iso.date(), z.iso.datetime({ offset: true })], {
        error: 'a date (2027-01-31) or 2027-01-31T12:00:00Z',
      })
      .transform((text) => Date.parse(text))
      .optional(),
    rate: rate().optional(),
    quota: z
      .string()
      .regex(/^[1-9]\d{0,11}$/, 'a number of requests above zero')
      .transform(Number)
      .optional(),
  },
  {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? 'no fields but name, sha256, expires, rate and quota' : undefined,
  },
);
const file = z.array(entry, { error: 'a list of entries (tensorgate keys new writes one)' });

/**
 * Reads the file, YAML or JSON. Throws an Error that names the entry and the field, never its value: the value can be a
 * key in the wrong place.
 */
export function readKeys(path: string): readonly Key[] {
  const parsed = file.safeParse(parseYaml(readSmallFileSync(path).toString()));
  if (!parsed.success) {
    throw new Error(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: needs ${issue.message}`).join('; '),
    );
  }
  return parsed.data.map(({ sha256: digest, expires: expiresMs, ...rest }) => ({ ...rest, digest, expiresMs }));
}

/**
 * Reads every scalar as text: the 64 digits of a hash can look like a number. The library's error texts quote the line.
 */
function parseYaml(text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, lineCounter });
  const [error] = document.errors;
  if (error) throw new Error(`line ${lineCounter.linePos(error.pos[0]).line} is not YAML (${error.code})`);
  return document.toJS() ?? [];
}

/** The entry of the given key, if any. Compares all entries in constant time, so the duration tells nothing. */
export function findKey(keys: readonly Key[], given: string): Key | undefined {
  const digest = digestOf(given);
  return keys.reduce<Key | undefined>((found, key) => (timingSafeEqual(key.digest, digest) ? key : found), undefined);
}

/** Makes a new key and its entry for the file, which has only the key's hash. Throws an Error for an invalid name. */
export function makeKey(given: string): { readonly key: string; readonly entry: string } {
  const parsed = name.safeParse(given);
  if (!parsed.success) throw new Error(`NAME: needs ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
  const key = PREFIX + randomBytes(KEY_BYTES).toString('base64url');
  return { key, entry: `- name: ${parsed.data}\n  sha256: ${digestOf(key).toString('hex')}\n` };
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
