/** Parses the entries of FETCH_BUCKETS: buckets, and folders of buckets. */
import { type BucketObject, hasDotSegment, isBucketName, type Scheme } from './url.ts';

/** A bucket, or the objects in it whose names start with the prefix: empty, or one that ends with a slash. */
export type BucketEntry = { readonly scheme: Scheme; readonly bucket: string; readonly prefix: string };

const FORMS = 'gs://my-photos and s3://my-bucket/folder/';

/** Parses the entries. Throws one Error that names the setting and every entry that cannot be read or can match nothing. */
export function parseBucketEntries(setting: string, texts: readonly string[]): readonly BucketEntry[] {
  const entries = texts.map((text) => ({ text, entry: parseEntry(text) }));
  const wrong = entries.flatMap(({ text, entry }) => (entry ? [] : JSON.stringify(text)));
  if (wrong.length === 0) return entries.flatMap(({ entry }) => entry ?? []);
  throw new Error(`${setting}: ${wrong.join(', ')} cannot be read, or matches nothing; entries look like ${FORMS}`);
}

function parseEntry(text: string): BucketEntry | undefined {
  const [, scheme, bucket = '', prefix = ''] = /^(gs:|s3:)\/\/([^/]*)(?:\/(.*))?$/.exec(text) ?? [];
  if (scheme !== 'gs:' && scheme !== 's3:') return undefined;
  // Without the slash, `photos` would also open `photos-of-others/…`.
  const isFolder = prefix === '' || prefix.endsWith('/');
  const canMatch = isFolder && !hasDotSegment(prefix) && prefix.isWellFormed() && !/\p{Cc}/u.test(prefix);
  return canMatch && isBucketName(bucket, scheme) ? { scheme, bucket, prefix } : undefined;
}

/** Whether an entry opens the object. */
export const opensObject = (entries: readonly BucketEntry[], { scheme, bucket, name }: BucketObject): boolean =>
  entries.some((entry) => entry.scheme === scheme && entry.bucket === bucket && name.startsWith(entry.prefix));
