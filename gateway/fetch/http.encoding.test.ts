/** Bodies with a Content-Encoding: decoded within the limits, or refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { GatewayError } from '../errors.ts';
import type { FetchOptions } from './http.ts';
import { context, failureOf, openFetch, startOrigin } from './test-origin.ts';

const IMAGE = Buffer.concat([randomBytes(50_000), Buffer.alloc(50_000)]);

/** A fetch of one body with these headers. */
async function source(
  t: TestContext,
  encoding: string | readonly string[],
  body: Buffer,
  options: Partial<FetchOptions> = {},
) {
  const headers = { 'content-encoding': encoding, 'content-length': body.length } as OutgoingHttpHeaders;
  const origin = await startOrigin(t, (_request, response) => response.writeHead(200, headers).end(body));
  const fetch = openFetch(t, { allowPrivate: true, ...options });
  return (...args: [signal?: AbortSignal, onBytes?: (count: number) => Error | undefined]) =>
    fetch(origin.url, 'url', context(args[0]), args[1]);
}

describe('C14 (03): words that are no content coding', () => {
  for (const word of [
    '',
    'identity',
    'none',
    'binary',
    'aws-chunked',
    'UTF-8',
    '8bit',
    'image/jpeg',
    '__proto__',
    ',',
  ]) {
    test(`"${word}" says nothing about the bytes`, async (t) => {
      const fetch = await source(t, word, IMAGE);
      assert.deepEqual(await fetch(), IMAGE);
    });
  }

  test('the header twice', async (t) => {
    const fetch = await source(t, ['identity', 'identity'], IMAGE);
    assert.deepEqual(await fetch(), IMAGE);
  });
});

describe('C14 (04): encoded bodies', () => {
  const encoded: Readonly<Record<string, (body: Buffer) => Buffer>> = {
    gzip: gzipSync,
    'X-GZip': gzipSync,
    deflate: deflateSync,
    ' Deflate ': deflateRawSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
    'aws-chunked,gzip': gzipSync,
    'gzip, identity': gzipSync,
    'gzip, br': (body) => brotliCompressSync(gzipSync(body)),
    'gzip,gzip': (body) => gzipSync(gzipSync(body)),
  };
  for (const [encoding, encode] of Object.entries(encoded)) {
    test(`${encoding} is decoded`, async (t) => {
      const fetch = await source(t, encoding, encode(IMAGE));
      assert.deepEqual(await fetch(), IMAGE);
    });
  }

  test('an empty body is empty under every coding', async (t) => {
    assert.equal((await (await source(t, 'gzip', Buffer.alloc(0)))()).length, 0);
  });

  test('a body that is damaged or in another coding is source_not_image, by the name of the coding', async (t) => {
    const cases = [
      ['gzip', IMAGE],
      ['gzip', gzipSync(IMAGE).fill(0xff, 20, 40)],
      ['br', gzipSync(IMAGE)],
      ['deflate', randomBytes(100)],
      ['gzip, gzip', gzipSync(IMAGE)],
    ] as const;
    for (const [encoding, body] of cases) {
      const failure = await failureOf((await source(t, encoding, body))(), 'source_not_image');
      assert.equal(failure.status, 422);
      assert.match(failure.message, /^url: the source's Content-Encoding is (gzip|br|deflate), but its body cannot/);
    }
  });
});

describe('B10: the limits of decoding', () => {
  test('a bomb is source_too_large at the size limit, under each coding and at each step', async (t) => {
    const zeros = Buffer.alloc(20_000_000);
    const bombs = {
      gzip: gzipSync(zeros),
      deflate: deflateSync(zeros),
      br: brotliCompressSync(zeros),
      zstd: zstdCompressSync(zeros),
      'gzip, gzip': gzipSync(gzipSync(zeros)),
    };
    for (const [encoding, bomb] of Object.entries(bombs)) {
      const counted: number[] = [];
      const fetch = await source(t, encoding, bomb, { maxBytes: 200_000 });
      const failing = fetch(undefined, (count) => void counted.push(count));
      await failureOf(failing, 'source_too_large');
      const bytes = counted.reduce((sum, count) => sum + count, 0);
      assert.ok(bytes < 500_000, `${encoding}: ${bytes} bytes were decoded`);
    }
  });

  test('a body that fits before decoding, or only after it, is refused', async (t) => {
    const options = { maxBytes: 60_000 };
    await failureOf((await source(t, 'gzip', gzipSync(IMAGE), options))(), 'source_too_large');
    const growing = gzipSync(randomBytes(59_995), { level: 0 });
    await failureOf((await source(t, 'gzip', growing, options))(), 'source_too_large');
    assert.equal((await (await source(t, 'gzip', gzipSync(Buffer.alloc(60_000)), options))()).length, 60_000);
  });

  test('a chain of three or a thousand codings is refused without decoding', async (t) => {
    for (const length of [3, 1000]) {
      const counted: number[] = [];
      const fetch = await source(t, Array(length).fill('gzip').join(), gzipSync(IMAGE));
      const failure = await failureOf(
        fetch(undefined, (count) => void counted.push(count)),
        'source_not_image',
      );
      assert.match(failure.message, /more than 2 content encodings/);
      assert.deepEqual(counted, []);
    }
  });

  test('decoded bytes count with onBytes, whose error ends the download', async (t) => {
    const body = gzipSync(IMAGE);
    const counted: number[] = [];
    await (await source(t, 'gzip', body))(undefined, (count) => void counted.push(count));
    assert.equal(
      counted.reduce((sum, count) => sum + count, 0),
      body.length + IMAGE.length,
    );
    let left = body.length + 10;
    const refuse = (count: number) => {
      left -= count;
      return left < 0 ? new GatewayError('overloaded', 'full') : undefined;
    };
    await failureOf((await source(t, 'gzip', body))(undefined, refuse), 'overloaded');
  });

  test('decoding ends at the timeout, and when the client hangs up', async (t) => {
    // Empty stored blocks: input without output.
    const slow = Buffer.concat([Buffer.from([0x78, 0x9c]), Buffer.alloc(50_000_000, '\0\0\0\xff\xff', 'latin1')]);
    const timedOut = await source(t, 'deflate', slow, { maxBytes: 60_000_000, timeoutMs: 150 });
    await failureOf(timedOut(), 'source_timeout');
    const client = new AbortController();
    const fetch = await source(t, 'deflate', slow, { maxBytes: 60_000_000 });
    let received = 0;
    const failing = fetch(client.signal, (count) => {
      received += count;
      if (received >= slow.length) setImmediate(() => client.abort());
      return undefined;
    });
    await failureOf(failing, 'client_gone');
  });

  test('twenty encoded bodies at once are all decoded', async (t) => {
    const fetch = await source(t, 'br', brotliCompressSync(IMAGE));
    const bodies = await Promise.all(Array.from({ length: 20 }, () => fetch()));
    assert.ok(bodies.every((body) => body.equals(IMAGE)));
  });
});
