/**
 * Fuzzes the URL of an image, from the JSON text to the guard's decision. References: the WHATWG URL parser, and the
 * literal names of objects in buckets.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { gcsCallOf } from '../../gateway/fetch/bucket/gcs.ts';
import { s3CallOf } from '../../gateway/fetch/bucket/s3.ts';
import { isBucketText, isBucketUrl, objectOf } from '../../gateway/fetch/bucket/url.ts';
import { Refusal } from '../../gateway/fetch/finding.ts';
import { createGuard } from '../../gateway/fetch/guard.ts';
import { hostOf, isHttp, parseSourceUrl, redactUrl, refuseUserinfo } from '../../gateway/fetch/source-url.ts';
import { checkGuard } from './address.ts';
import type { Parser } from './fuzz.ts';
import { refusalOf } from './refusal.ts';

const guard = createGuard({ allow: [], deny: [], allowPrivate: false, ports: [80, 443] });
const buckets = ['gs://my-photos/open/', 's3://my.bucket'];
const withBuckets = createGuard({ allow: [], deny: [], allowPrivate: false, ports: [80, 443], buckets });
const listed = createGuard({ allow: ['https://img.example.com'], deny: [], allowPrivate: false, ports: [80, 443] });

export const url: Parser = {
  name: 'url',
  words: [
    ...['http://', 'https://', 'file:', 'data:', '//', '\\\\', '@', ':', '#', '?', '%2e', '%00', '\\u0000', '\\ud800'],
    ...['[::ffff:127.0.0.1]', '[::1]', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '169.254.169.254', 'localhost'],
    ...['img.example.com', '.example.com', '.svc', '.internal', '\xe2\x91\xa0', '\xe3\x80\x82', '\xc2\xad', 'xn--'],
    ...['gs://my-photos/', 'gs://my-photos/open/', 'S3://my.bucket/', 's3://other/', '/../', '/./', '%2e%2e/', '..%2f'],
  ],
  check(input) {
    const text = textOf(input).trim();
    const parsed = refusalOf(() => parseSourceUrl(textOf(input)), ['invalid_url', 'source_forbidden']);
    if (isBucketText(text)) {
      checkBucketUrl(text, parsed);
      return;
    }
    checkAgainstWhatwg(text, parsed);
    if (!parsed) return;
    assert.ok(!isBucketUrl(parsed));
    assert.doesNotMatch(text, /[\p{Cc}\p{Cs}]/u);
    assert.equal(parseSourceUrl(parsed.href).href, parsed.href, 'parsing the result again gives another URL');
    const withoutSecrets = redactUrl(parsed);
    assert.ok(withoutSecrets.length <= 300 && !withoutSecrets.includes('?'));
    refusalOf(() => refuseUserinfo(parsed), ['invalid_url']);
    if (passes(() => listed.checkUrl(parsed))) assert.equal(parsed.origin, 'https://img.example.com');
    const host = hostOf(parsed);
    if (passes(() => guard.checkUrl(parsed))) {
      assert.ok(isHttp(parsed));
      assert.doesNotMatch(host, /(^|\.)(localhost|internal|svc)$/);
    }
    if (isHttp(parsed) && isIP(host) !== 0) checkGuard(host);
  },
};

/** The URL as a JSON body would contain it: only JSON escapes can produce lone surrogates. Otherwise the plain text. */
function textOf(input: Uint8Array): string {
  const text = Buffer.from(input).toString();
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/**
 * The name of an object is what stands in the text, in the result and in every request for it. The host of a request
 * is the store's own, and the guard goes by the name that is asked for.
 */
function checkBucketUrl(text: string, parsed: URL | undefined): void {
  if (!parsed) {
    assert.doesNotMatch(text, /^(gs|s3):\/\/[a-z\d]{3,60}\/[a-z\d]+$/, 'refused an ordinary object');
    return;
  }
  const object = objectOf(parsed);
  assert.equal(
    `${object.scheme}//${object.bucket}/${object.name}`,
    text.replace(/^../, (scheme) => scheme.toLowerCase()),
  );
  assert.equal(parsed.search + parsed.hash + parsed.username + parsed.password + parsed.port, '');
  assert.ok(!passes(() => guard.checkUrl(parsed)), 'read a bucket without FETCH_BUCKETS');
  const isOpen = /^gs:\/\/my-photos\/open\/|^s3:\/\/my\.bucket\/./s.test(
    text.replace(/^../, (scheme) => scheme.toLowerCase()),
  );
  assert.equal(
    passes(() => withBuckets.checkUrl(parsed)),
    isOpen,
  );
  const { url: gcs } = gcsCallOf(object);
  assert.equal(gcs.origin, 'https://storage.googleapis.com');
  const [start, bucket = '', o, name = '', ...rest] = gcs.pathname.slice('/storage/v1/'.length).split('/');
  assert.deepEqual(
    [start, decodeURIComponent(bucket), o, decodeURIComponent(name), rest, gcs.search],
    ['b', object.bucket, 'o', object.name, [], '?alt=media'],
  );
  if (object.scheme !== 's3:') return;
  const own = new URL('http://127.0.0.1:9000');
  for (const [endpoint, inPath] of [
    [undefined, object.bucket.includes('.')],
    [own, true],
  ] as const) {
    const { url: s3 } = s3CallOf(object, 'read', { region: 'eu-west-1', endpoint });
    const host = endpoint?.host ?? `${inPath ? '' : `${object.bucket}.`}s3.eu-west-1.amazonaws.com`;
    assert.deepEqual([s3.host, s3.search, s3.hash], [host, '', '']);
    assert.equal(decodeURIComponent(s3.pathname), `${inPath ? `/${object.bucket}` : ''}/${object.name}`);
  }
}

/** An accepted URL equals the WHATWG result except for a trailing dot of the host; an ordinary URL is not refused. */
function checkAgainstWhatwg(text: string, parsed: URL | undefined): void {
  const expected = URL.parse(text);
  if (parsed) {
    const { pathname, search, port, protocol } = parsed;
    assert.deepEqual(
      [pathname, search, port, protocol],
      [expected?.pathname, expected?.search, expected?.port, expected?.protocol],
    );
    assert.equal(parsed.hostname, isHttp(parsed) ? expected?.hostname.replace(/\.$/, '') : expected?.hostname);
    return;
  }
  const isPlain = expected !== null && text.length < 2000 && text.isWellFormed() && !/\p{Cc}/u.test(text);
  const isOrdinary = isPlain && /^([a-z\d-]{1,63}\.){1,3}[a-z]{2,10}$/.test(expected.hostname);
  assert.ok(!isOrdinary, 'refused an ordinary URL');
}

function passes(judge: () => void): boolean {
  try {
    judge();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
