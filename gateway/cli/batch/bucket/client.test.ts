/** The client of a bucket, against servers that stand for the stores. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../../config/read.ts';
import { openBucket } from './client.ts';
import { BucketError } from './error.ts';
import { parsePlace } from './place.ts';

const GCS = parsePlace('gs://my-photos/', '--output');
const S3 = parsePlace('s3://photos/', '--output');

/** Starts a server for both stores. Resolves to the requests that it got. */
async function startStore(t: TestContext, answer: RequestListener): Promise<string[]> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => answer(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const variables = {
    STORAGE_EMULATOR_HOST: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  Object.assign(process.env, variables);
  t.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
    server.closeAllConnections();
    server.close();
  });
  return requests;
}

test('a place is a bucket and a literal name, and anything else is refused by the name of the option', () => {
  assert.deepEqual(parsePlace('GS://my-photos', 'INPUT'), { scheme: 'gs:', bucket: 'my-photos', name: '' });
  assert.deepEqual(parsePlace('s3://photos/a b?#%20/', 'INPUT').name, 'a b?#%20/');
  for (const wrong of ['gs:my-photos', 's3://a_b/c', 'gs://Photos/c', 's3://photos/a/../b', 'gs://my-photos/.']) {
    assert.throws(
      () => parsePlace(wrong, '--output'),
      (error) => error instanceof ConfigError && error.message.startsWith(`--output ${wrong}: needs gs://BUCKET/NAME`),
    );
  }
});

test('a list has the names of all its pages, whatever characters they have', async (t) => {
  const pages: Readonly<Record<string, string>> = {
    '/photos/?list-type=2&prefix=a%20b%2F':
      '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a b/1&amp;2.jpg</Key></Contents></ListBucketResult>',
    '/photos/?list-type=2&prefix=a%20b%2F&start-after=a%20b%2F1%262.jpg':
      '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a b/&lt;&#233;&#x1F456;&quot;.jpg</Key></Contents></ListBucketResult>',
    '/storage/v1/b/my-photos/o?prefix=a%20b%2F&fields=items(name),nextPageToken':
      '{"items":[{"name":"a b/1&2.jpg"}],"nextPageToken":"t+/="}',
    '/storage/v1/b/my-photos/o?prefix=a+b%2F&fields=items%28name%29%2CnextPageToken&pageToken=t%2B%2F%3D':
      '{"items":[{"name":"a b/<é👖\\".jpg"}]}',
    '/storage/v1/b/my-photos/o?prefix=none&fields=items(name),nextPageToken': '{}',
  };
  const requests = await startStore(t, ({ url = '' }, response) => {
    response.writeHead(url in pages ? 200 : 400).end(pages[url]);
  });
  for (const place of [S3, GCS]) {
    const names = await Array.fromAsync(openBucket(place).list('a b/'));
    assert.deepEqual(names, ['a b/1&2.jpg', 'a b/<é👖".jpg'], place.scheme);
  }
  assert.deepEqual(await Array.fromAsync(openBucket(GCS).list('none')), []);
  assert.equal(requests.length, 5);
});

test('what the store cannot do now is tried again, and what it refuses is not', async (t) => {
  let failures = 2;
  const requests = await startStore(t, ({ url }, response) => {
    if (url?.includes('closed')) return response.writeHead(403).end('<Code>AccessDenied</Code>');
    if (url?.includes('gone')) return response.writeHead(404).end();
    if (failures > 0) return response.writeHead(failures % 2 === 0 ? 503 : 429, { 'x-n': failures-- }).end();
    return response.end('bytes');
  });
  const bucket = openBucket(S3);
  assert.equal(String(await bucket.read('a')), 'bytes');
  assert.deepEqual(requests, Array(3).fill('GET /photos/a'));
  await assert.rejects(bucket.write('closed', new Blob(['x'])), (error) => {
    assert.ok(error instanceof BucketError);
    assert.deepEqual([error.status, error.isTransient], [403, false]);
    assert.equal(error.message, 's3://photos/closed: 403 <Code>AccessDenied</Code>');
    return true;
  });
  await bucket.remove('gone');
  assert.deepEqual(requests.slice(3), ['PUT /photos/closed', 'DELETE /photos/gone']);
});
