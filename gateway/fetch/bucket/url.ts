/** URLs of objects in buckets: `gs://bucket/object` (Google Cloud Storage) and `s3://bucket/key` (Amazon S3). */
import { GatewayError } from '../../errors.ts';

/** The scheme of a store, as URL.protocol has it. */
export type Scheme = 'gs:' | 's3:';

export type BucketObject = {
  readonly scheme: Scheme;
  readonly bucket: string;
  /** The object's name, S3's key, as the store has it: not percent-encoded. May have slashes. */
  readonly name: string;
};

/** Both stores limit a name to 1024 bytes of UTF-8. */
const MAX_NAME_BYTES = 1024;

/** What both stores allow in a bucket's name: 3 to 63 characters, S3 without `_`, up to 222 with dots in gs. */
const BUCKET = /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/;
const LONGEST_LABEL = 63;

const invalid = (what: string) => new GatewayError('invalid_url', `the URL ${what}`);

/** Whether the text starts with the scheme of a store. */
export const isBucketText = (text: string): boolean => /^(?:gs|s3):/i.test(text);

export const isBucketUrl = ({ protocol }: URL): boolean => protocol === 'gs:' || protocol === 's3:';

/**
 * Parses the text of an object's URL. The name is taken literally, as `gcloud storage` and `aws s3` take it: `%20`, `?`
 * and `#` are characters of the name. The result is the URL with the name percent-encoded, so that it is one path and
 * has no query. Throws `invalid_url` without a valid bucket or without a name, and `source_forbidden` for a name with the
 * segment `.` or `..`: HTTP drops those, so another object would be read.
 */
export function parseBucketUrl(text: string): URL {
  const [, word = '', bucket = '', name = ''] = /^(gs|s3):\/\/([^/]*)\/?(.*)$/is.exec(text) ?? [];
  if (word === '') throw invalid('has no // after its scheme');
  const scheme: Scheme = word.toLowerCase() === 's3' ? 's3:' : 'gs:';
  if (!isBucketName(bucket, scheme)) throw invalid('has no valid name of a bucket');
  if (name === '') throw invalid(`has no object; write it like ${scheme}//bucket/folder/photo.jpg`);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw invalid(`has an object name above ${MAX_NAME_BYTES} bytes`);
  if (hasDotSegment(name)) {
    throw new GatewayError('source_forbidden', 'the URL has an object name with the part "." or ".."');
  }
  return new URL(`${scheme}//${bucket}/${name.split('/').map(encodeSegment).join('/')}`);
}

/** The object of a URL that `parseBucketUrl` returned. */
export function objectOf({ protocol, hostname, pathname }: URL): BucketObject {
  return { scheme: protocol as Scheme, bucket: hostname, name: decodeURIComponent(pathname.slice(1)) };
}

/** Whether a bucket of the store can have this name. */
export function isBucketName(text: string, scheme: Scheme): boolean {
  if (!BUCKET.test(text) || text.includes('..')) return false;
  if (scheme === 's3:') return text.length <= LONGEST_LABEL && !text.includes('_');
  return text.split('.').every(({ length }) => length <= LONGEST_LABEL);
}

export const hasDotSegment = (name: string): boolean => name.split('/').some((part) => part === '.' || part === '..');

/**
 * Percent-encodes everything but the unreserved characters (RFC 3986, 2.3), as AWS' signature needs it. URL leaves the
 * result as it is.
 */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
