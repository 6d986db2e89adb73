/** Objects read through the fetch, from origins that stand for the stores. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import type { FetchOptions } from '../http.ts';
import { context, failureOf, type Origin, openFetch, startOrigin } from '../test-origin.ts';
import { startProxy } from '../test-proxy.ts';
import { createS3Store } from './s3.ts';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' });

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** The signature of a request as it arrived (AWS Signature Version 4), for comparison with the one that it has. */
function signatureOf({ url = '', headers }: IncomingMessage, secret: string): string {
  const { authorization = '', 'x-amz-date': date = '', 'x-amz-content-sha256': payload } = headers;
  const [, scope = '', names = ''] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const fields = names.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = ['GET', url, '', fields.join(''), names, payload].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

const open = (t: TestContext, { url }: Origin, options: Partial<FetchOptions> = {}) =>
  openFetch(t, {
    buckets: ['s3://photos', 'gs://my-photos'],
    stores: { s3Endpoint: new URL(url), gcsEmulator: new URL(url) },
    ...options,
  });

describe('an object', () => {
  test('is read with a signature, from a private address that the guard refuses to clients', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('bytes'));
    const fetch = open(t, origin);
    let counted = 0;
    const count = (bytes: number) => {
      counted += bytes;
      return undefined;
    };
    assert.equal(String(await fetch('s3://photos/a b.jpg', 'url', context(), count)), 'bytes');
    assert.equal(counted, 5);
    const [request] = origin.requests;
    assert.equal(request?.url, '/photos/a%20b.jpg');
    assert.match(
      request?.headers.authorization ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/s3\/aws4_request, SignedHeaders=host;[\w;-]+, Signature=[0-9a-f]{64}$/,
    );
    assert.equal(request?.headers['user-agent'], 'tensorgate/test');
    await failureOf(fetch(`${origin.url}photos/a.jpg`, 'url', context()), 'source_forbidden');
    assert.equal(origin.requests.length, 1);
  });

  test('of any name is signed as it is sent', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('bytes'));
    const fetch = open(t, origin);
    for (const name of ['a b+c', '100%25', "(1)!'*", 'a?x=1#2', 'é/日本', '/a//b/', 'a\\b', '...']) {
      await fetch(`s3://photos/${name}`, 'url', context());
      const request = origin.requests.at(-1);
      assert.ok(request);
      assert.equal(decodeURIComponent(request.url ?? ''), `/photos/${name}`);
      assert.ok(request.headers.authorization?.endsWith(`Signature=${signatureOf(request, 'secret')}`), name);
    }
  });

  test('goes through FETCH_PROXY, with its signature', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('bytes'));
    const proxy = await startProxy(t);
    const fetch = open(t, origin, { proxy: proxy.url });
    assert.equal(String(await fetch('s3://photos/a', 'url', context())), 'bytes');
    assert.deepEqual([proxy.targets, proxy.others], [[`127.0.0.1:${origin.port}`], []]);
    assert.ok(origin.requests[0]?.headers.authorization?.startsWith('AWS4-HMAC-SHA256 '));
    assert.equal(proxy.headers[0]?.authorization, undefined);
  });

  test('of an emulator is read without credentials', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('bytes'));
    assert.equal(String(await open(t, origin)('gs://my-photos/a/b.jpg', 'url', context())), 'bytes');
    assert.equal(origin.requests[0]?.url, '/storage/v1/b/my-photos/o/a%2Fb.jpg?alt=media');
    assert.equal(origin.requests[0]?.headers.authorization, undefined);
  });

  test('is refused above the size limit, announced or not', async (t) => {
    const origin = await startOrigin(t, (request, response) => {
      if (request.url?.endsWith('announced')) response.setHeader('content-length', '2000');
      response.write(Buffer.alloc(1001));
    });
    const fetch = open(t, origin, { maxBytes: 1000 });
    for (const name of ['announced', 'not'])
      await failureOf(fetch(`s3://photos/${name}`, 'url', context()), 'source_too_large');
  });

  test('that does not come in time is a source_timeout', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.writeHead(200).write('a'));
    await failureOf(open(t, origin, { timeoutMs: 300 })('s3://photos/a', 'url', context()), 'source_timeout');
  });

  test('is not looked for where a redirect leads', async (t) => {
    const other = await startOrigin(t, (_request, response) => response.end('bytes'));
    const origin = await startOrigin(t, (_request, response) =>
      response.writeHead(307, { location: other.url, 'x-amz-bucket-region': 'eu-west-1' }).end(),
    );
    const fetch = open(t, origin, { allowPrivate: true });
    for (const url of ['s3://photos/a', 'gs://my-photos/a']) {
      const { sourceStatus } = await failureOf(fetch(url, 'url', context()), 'source_failed');
      assert.equal(sourceStatus, 307);
    }
    assert.equal(other.connections(), 0);
  });

  test('has the status of its store, 422 for 403 and 404', async (t) => {
    const origin = await startOrigin(t, (request, response) =>
      response.writeHead(Number(request.url?.slice(-3))).end('<Error/>'),
    );
    const fetch = open(t, origin);
    for (const [sourceStatus, status] of [
      [403, 422],
      [404, 422],
      [503, 502],
    ] as const) {
      const error = await failureOf(fetch(`s3://photos/${sourceStatus}`, 'url', context()), 'source_failed');
      assert.deepEqual([error.sourceStatus, error.status], [sourceStatus, status]);
    }
  });

  test('of a bucket that is not open sends nothing, and a store that is down says no more to the client', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('bytes'));
    const refused = await failureOf(
      open(t, origin)('s3://others/a', 'instances[1].url', context()),
      'source_forbidden',
    );
    assert.equal(refused.status, 403);
    assert.equal(origin.connections(), 0);
    const down = open(t, origin, { stores: { s3Endpoint: new URL('http://127.0.0.1:1') } });
    const failed = await failureOf(down('s3://photos/a', 'instances[1].url', context()), 'source_failed');
    assert.equal(failed.message, 'instances[1].url: no image can be read from this bucket');
    assert.equal(refused.message, failed.message);
    assert.match((failed.cause as Error).message, /^s3:\/\/photos\/a: .*ECONNREFUSED/);
  });
});

test('a source cannot redirect into a bucket', async (t) => {
  const store = await startOrigin(t, (_request, response) => response.end('bytes'));
  for (const location of ['s3://photos/a', 'gs://my-photos/a', 'gs:a']) {
    const origin = await startOrigin(t, (_request, response) => response.writeHead(302, { location }).end());
    await failureOf(open(t, store, { allowPrivate: true })(origin.url, 'url', context()), 'source_failed');
  }
  assert.equal(store.connections(), 0);
});

describe('a bucket of AWS in another region', () => {
  const object = { scheme: 's3:', bucket: 'photos', name: 'a' } as const;
  const answer = (statusCode: number, region: string) => ({ statusCode, headers: { 'x-amz-bucket-region': region } });

  test('is asked there, with a signature for it', async () => {
    const store = createS3Store({ s3Region: 'us-east-1' });
    assert.equal((await store.request(object)).url.host, 'photos.s3.us-east-1.amazonaws.com');
    assert.equal(store.isElsewhere(answer(301, 'eu-west-1'), object), true);
    const { url, headers } = await store.request(object);
    assert.equal(url.host, 'photos.s3.eu-west-1.amazonaws.com');
    assert.match(headers.authorization ?? '', /\/eu-west-1\/s3\/aws4_request/);
    assert.equal(store.isElsewhere(answer(301, 'eu-west-1'), object), false);
  });

  test('is not asked for at what is no region', async () => {
    const store = createS3Store({});
    for (const region of ['evil.example/', 'a@evil', '', 'eu-west-1.evil.example', 'us-east-1'])
      assert.equal(store.isElsewhere(answer(301, region), object), false, region);
    assert.equal(store.isElsewhere(answer(200, 'eu-west-1'), object), false);
    assert.equal(
      createS3Store({ s3Endpoint: new URL('http://minio') }).isElsewhere(answer(301, 'eu-west-1'), object),
      false,
    );
  });
});
