/** INPUT in a bucket: a folder of pictures, or an object that is what a file would be. */
import path from 'node:path';
import { ConfigError } from '../../../config/read.ts';
import { isPicture, numbered } from '../input/pictures.ts';
import type { Input, InputFile } from '../item.ts';
import type { Scratch } from '../scratch.ts';
import { openBucket } from './client.ts';
import { BucketError } from './error.ts';
import { parsePlace, urlOf } from './place.ts';

/**
 * A name that ends with a slash or has no extension is a folder: all pictures below it. The list is read once, and each picture when
 * it is sent. Else it is an object, which is downloaded and opened by `open`. Throws ConfigError, also where there
 * is nothing, and BucketError.
 */
export async function openBucketInput(
  text: string,
  scratch: Scratch,
  open: (from: InputFile) => Input,
): Promise<Input> {
  const place = parsePlace(text, 'INPUT');
  const bucket = openBucket(place);
  const { name } = place;
  if (!name.endsWith('/') && path.posix.extname(name) !== '') {
    const file = await scratch.file('input');
    await bucket.download(name, file).catch((cause) => {
      if (!(cause instanceof BucketError) || cause.status !== 404) throw cause;
      throw new ConfigError(`${text}: no such object; write a folder with a slash at its end`, { cause });
    });
    return open({ file, name: text });
  }
  const names: string[] = [];
  for await (const found of bucket.list(name === '' || name.endsWith('/') ? name : `${name}/`)) {
    if (isPicture(found)) names.push(found);
  }
  if (names.length === 0) throw new ConfigError(`${text}: no pictures there`);
  const start = urlOf(place, '').length;
  const urls = names.map((found) => urlOf(place, found));
  return {
    async *items() {
      yield* numbered(urls, (url) => bucket.read(url.slice(start)));
    },
  };
}
