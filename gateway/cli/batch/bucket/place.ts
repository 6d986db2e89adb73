/** INPUT and --output in a bucket: `gs://bucket/name` and `s3://bucket/name`. */
import { ConfigError } from '../../../config/read.ts';
import { type BucketObject, hasDotSegment, isBucketName } from '../../../fetch/bucket/url.ts';

/**
 * Parses the text. The name is taken literally and may be empty, which is the whole bucket. Throws ConfigError, which names
 * `option`.
 */
export function parsePlace(text: string, option: string): BucketObject {
  const [, word = '', bucket = '', name = ''] = /^(gs|s3):\/\/([^/]*)\/?(.*)$/is.exec(text) ?? [];
  const scheme = word.toLowerCase() === 's3' ? 's3:' : 'gs:';
  if (isBucketName(bucket, scheme) && !hasDotSegment(name)) return { scheme, bucket, name };
  throw new ConfigError(`${option} ${text}: needs gs://BUCKET/NAME or s3://BUCKET/NAME, without the parts . and ..`);
}

/** The URL of an object, as people write it. */
export const urlOf = ({ scheme, bucket }: BucketObject, name: string): string => `${scheme}//${bucket}/${name}`;
