import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../errors.ts';
import { parseSourceUrl, redactUrl, refuseUserinfo } from './source-url.ts';

const isInvalidUrl = (error: unknown) => error instanceof GatewayError && error.kind === 'invalid_url';

describe('parsing a URL', () => {
  test('B3: a URL of 8 KiB is accepted, one byte more is refused', () => {
    const longest = `http://a.com/${'x'.repeat(8192 - 13)}`;
    assert.equal(parseSourceUrl(longest).href, longest);
    assert.throws(() => parseSourceUrl(`${longest}x`), isInvalidUrl);
  });

  test('B3: control characters and lone surrogates are refused, not dropped', () => {
    const texts = [
      'http://a.com/\0',
      'http://a.com/x\ny',
      'ht\ntp://a.com/',
      'http://a\t.com',
      '\x00http://a.com/',
      '\x7f',
    ];
    for (const text of [...texts, 'http://a.com/\x85', 'http://a.com/\ud800', 'http://a.com/\udc00x']) {
      assert.throws(() => parseSourceUrl(text), isInvalidUrl, JSON.stringify(text));
    }
    assert.equal(parseSourceUrl('http://a.com/\u{1f457}').pathname, '/%F0%9F%91%97');
  });

  test('C17 (17): white space around a URL is dropped, and does not count', () => {
    for (const text of ['http://a.com/x\n', '\r\n http://a.com/x\t', '\ufeffhttp://a.com/x', 'http://a.com/x\u00a0']) {
      assert.equal(parseSourceUrl(text).href, 'http://a.com/x', JSON.stringify(text));
    }
    const longest = `http://a.com/${'x'.repeat(8192 - 13)}`;
    assert.equal(parseSourceUrl(`${longest}\n`).href, longest);
  });

  // Found by fuzzing: after dropping one dot, the URL parser read the rest as the address 0.0.0.127.
  test('a host that ends in two dots is refused', () => {
    for (const host of ['0x7f..', 'a.com..', '..'])
      assert.throws(() => parseSourceUrl(`http://${host}/`), isInvalidUrl);
    assert.equal(parseSourceUrl('http://a.com./').hostname, 'a.com');
  });

  test('D1: text that is not an absolute URL is refused', () => {
    for (const text of [
      '',
      'x',
      '/photo.jpg',
      '//a.com/x',
      'http://',
      'http://[::1',
      'http://a b/',
      'http://1.2.3.4.5/',
    ]) {
      assert.throws(() => parseSourceUrl(text), isInvalidUrl, text);
    }
  });

  test('A17: a zone id is refused', () => {
    for (const text of ['http://[fe80::1%25eth0]/', 'http://[fe80::1%eth0]/']) {
      assert.throws(() => parseSourceUrl(text), isInvalidUrl);
    }
  });

  test('A35: hosts that are not valid DNS names are refused', () => {
    const longestLabel = 'a'.repeat(63);
    const longest = `${longestLabel}.${longestLabel}.${longestLabel}.${'a'.repeat(61)}`;
    assert.equal(parseSourceUrl(`http://${longest}./`).hostname, longest);
    for (const host of [`${longest}a`, `${longestLabel}a.com`, 'a..b', '.a', '.', '..']) {
      assert.throws(() => parseSourceUrl(`http://${host}/`), isInvalidUrl, host);
    }
  });

  test('A3 to A6: parsing normalises unusual spellings of a host', () => {
    const hosts = ['2130706433', '0x7f000001', '017700000001', '0177.0.0.1', '0x7f.1', '127.1', '127.0.0.1.'];
    for (const host of [...hosts, '①②⑦.⓪.⓪.①', '%31%32%37.0.0.1', '127。0。0。1']) {
      assert.equal(parseSourceUrl(`http://${host}/`).hostname, '127.0.0.1', host);
    }
    assert.equal(parseSourceUrl('http://127.0.0.1:80\\@example.com/').hostname, '127.0.0.1');
    assert.equal(parseSourceUrl('http://localhost./').hostname, 'localhost');
  });

  test('any text is parsed or throws invalid_url', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.webUrl(), fc.string({ maxLength: 60 }));
    fc.assert(
      fc.property(fc.constantFrom('', 'http://', 'https:', 'http://a@'), texts, (start, rest) => {
        try {
          parseSourceUrl(start + rest);
        } catch (thrown) {
          assert.ok(isInvalidUrl(thrown), String(thrown));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('secrets in a URL', () => {
  test('B2: userinfo is refused, and the error has no part of it', () => {
    for (const text of ['http://user:hunter2@a.com/', 'http://hunter2@a.com/', 'http://:hunter2@a.com/']) {
      assert.throws(
        () => refuseUserinfo(parseSourceUrl(text)),
        (error: GatewayError) => isInvalidUrl(error) && !error.message.includes('hunter2') && error.cause === undefined,
      );
    }
  });

  test('B2: the error for an invalid URL has no part of the URL', () => {
    try {
      parseSourceUrl('http://user:hunter2@a b/');
      assert.fail('the URL was parsed');
    } catch (error) {
      assert.ok(isInvalidUrl(error));
      assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /hunter2/);
    }
  });

  test('H1: a redacted URL has origin and path, at most 300 characters', () => {
    const url = new URL('https://u:p@a.com:8443/photo.jpg?X-Amz-Signature=abc#x');
    assert.equal(redactUrl(url), 'https://a.com:8443/photo.jpg');
    assert.ok(redactUrl(new URL(`http://a.com/${'x'.repeat(5000)}`)).length <= 300);
  });
});
