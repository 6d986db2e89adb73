import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../../errors.ts';
import { parseSourceUrl } from '../source-url.ts';
import { gcsCallOf } from './gcs.ts';
import { s3CallOf } from './s3.ts';
import { objectOf } from './url.ts';

const parse = (text: string) => objectOf(parseSourceUrl(text));

describe('the object of a URL', () => {
  test('is scheme, bucket and the literal rest', () => {
    assert.deepEqual(parse('gs://my-photos/a/b.jpg'), { scheme: 'gs:', bucket: 'my-photos', name: 'a/b.jpg' });
    assert.deepEqual(parse(' S3://my.bucket/a.jpg\n'), { scheme: 's3:', bucket: 'my.bucket', name: 'a.jpg' });
  });

  for (const name of [
    'a b',
    '100%',
    'a%2Fb',
    '%2e%2e/x',
    'a?b=c',
    'a#1',
    'é/日本',
    '/a',
    'a//b',
    'a\\..\\b',
    "!'()*",
    '...',
    'a@b:c',
  ])
    test(`may be named ${name}`, () => {
      const object = parse(`s3://photos/${name}`);
      assert.equal(object.name, name);
      assert.equal(decodeURIComponent(s3CallOf(object).url.pathname), `/${name}`);
      const { url: gcs } = gcsCallOf(object);
      assert.equal(gcs.search, '?alt=media');
      assert.equal(decodeURIComponent(gcs.pathname.replace('/storage/v1/b/photos/o/', '')), name);
    });
});

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['gs:photos/a.jpg', /no \/\/ after/],
  ['gs:', /no \/\/ after/],
  ['gs://', /no valid name of a bucket/],
  ['gs:///a.jpg', /no valid name of a bucket/],
  ['gs://ab/a.jpg', /no valid name of a bucket/],
  ['gs://Photos/a.jpg', /no valid name of a bucket/],
  ['gs://user@photos/a.jpg', /no valid name of a bucket/],
  ['s3://photos:9000/a.jpg', /no valid name of a bucket/],
  ['s3://my_photos/a.jpg', /no valid name of a bucket/],
  ['s3://a..b/a.jpg', /no valid name of a bucket/],
  ['s3://[::1]/a.jpg', /no valid name of a bucket/],
  ['gs://photos', /no object; write it like gs:\/\/bucket\/folder\/photo\.jpg/],
  ['gs://photos/', /no object/],
  ['s3://photos/a\u0000b', /control character/],
  [`s3://photos/${'é'.repeat(513)}`, /above 1024 bytes/],
];

test('a URL without a valid bucket or object is invalid', () => {
  for (const [text, message] of WRONG) {
    assert.throws(
      () => parseSourceUrl(text),
      (error) => error instanceof GatewayError && error.kind === 'invalid_url' && message.test(error.message),
      text,
    );
  }
});

test('an object whose name has a part "." or ".." is not read', () => {
  for (const text of ['gs://photos/../other/a.jpg', 'gs://photos/a/./b.jpg', 's3://photos/a/..']) {
    assert.throws(() => parseSourceUrl(text), { kind: 'source_forbidden', message: /"\." or "\.\."/ }, text);
  }
});

test('a relative URL cannot lead into a bucket', () => {
  const base = new URL('https://example.com/');
  for (const text of ['gs://photos/a.jpg', 's3:a', 'gs:/a'])
    assert.throws(() => parseSourceUrl(text, base), { kind: 'invalid_url' });
});

test('the host of a request to S3 is that of the bucket in its region', () => {
  const object = parse('s3://photos/a b.jpg');
  const dotted = parse('s3://my.photos/a.jpg');
  const at = (asked: typeof object, region: string, endpoint?: URL) =>
    s3CallOf(asked, 'read', { region, endpoint }).url.href;
  assert.equal(at(object, 'eu-west-1'), 'https://photos.s3.eu-west-1.amazonaws.com/a%20b.jpg');
  assert.equal(at(object, 'cn-north-1'), 'https://photos.s3.cn-north-1.amazonaws.com.cn/a%20b.jpg');
  assert.equal(at(dotted, 'eu-west-1'), 'https://s3.eu-west-1.amazonaws.com/my.photos/a.jpg');
  assert.equal(at(object, 'any', new URL('http://minio:9000')), 'http://minio:9000/photos/a%20b.jpg');
});
