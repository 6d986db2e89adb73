import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuard } from '../guard.ts';
import { parseSourceUrl } from '../source-url.ts';

const guardOf = (...buckets: string[]) =>
  createGuard({ allow: [], deny: [], allowPrivate: false, ports: [443], buckets });

test('a bucket opens its objects, a folder those below it', () => {
  const guard = guardOf('gs://my-photos', 's3://photos/open/', 'gs://other/');
  for (const url of ['gs://my-photos/a.jpg', 'gs://other/a.jpg', 's3://photos/open/a/b.jpg'])
    guard.checkUrl(parseSourceUrl(url));
  const refused: readonly (readonly [string, RegExp])[] = [
    [
      's3://my-photos/a.jpg',
      /s3:\/\/my-photos is not in FETCH_BUCKETS; FETCH_BUCKETS=…,s3:\/\/my-photos would allow it/,
    ],
    ['gs://my-photos-2/a.jpg', /is not in FETCH_BUCKETS/],
    ['s3://photos/a.jpg', /opens other folders of s3:\/\/photos/],
    ['s3://photos/open', /opens other folders/],
    ['s3://photos/open2/a.jpg', /opens other folders/],
    ['s3://photos/Open/a.jpg', /opens other folders/],
    ['s3://photos/open%2Fa.jpg', /opens other folders/],
  ];
  for (const [url, message] of refused)
    assert.throws(() => guard.checkUrl(parseSourceUrl(url)), { rule: 'bucket-list', message }, url);
});

test('by default no bucket is open, also where FETCH_ALLOW lists hosts or opens addresses', () => {
  const guards = [guardOf(), createGuard({ allow: ['my-photos'], deny: [], allowPrivate: true, ports: [80] })];
  for (const guard of guards)
    assert.throws(() => guard.checkUrl(parseSourceUrl('gs://my-photos/a.jpg')), { rule: 'bucket-list' });
});

test('the rules for hosts are not about buckets', () => {
  const guard = createGuard({
    allow: ['img.example.com'],
    deny: ['storage.googleapis.com'],
    allowPrivate: false,
    ports: [80],
    buckets: ['gs://my-photos'],
  });
  guard.checkUrl(parseSourceUrl('gs://my-photos/a.jpg'));
  assert.throws(() => guard.checkUrl(parseSourceUrl('https://storage.googleapis.com/my-photos/a.jpg')));
});

test('an entry that can never match stops the start', () => {
  const wrong = [
    'my-photos',
    'gs:my-photos',
    'gs://',
    'gs://*',
    'gs://My-Photos',
    'gs://my-photos/photo.jpg',
    's3://a_bc',
    's3://photos/../',
    's3://photos/./a/',
    'https://storage.googleapis.com/my-photos',
    'gs://my-photos:443',
    'GS://my-photos',
    'gs://p@my-photos/',
  ];
  for (const entry of wrong) {
    assert.throws(() => guardOf('gs://good', entry), {
      message: `FETCH_BUCKETS: ${JSON.stringify(entry)} cannot be read, or matches nothing; entries look like gs://my-photos and s3://my-bucket/folder/`,
    });
  }
});
