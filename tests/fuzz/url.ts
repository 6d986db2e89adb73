/** Fuzzes the URL of an image, from JSON's text to the guard's word on it. Second opinion: the WHATWG parser itself. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { Refusal } from '../../gateway/fetch/finding.ts';
import { createGuard } from '../../gateway/fetch/guard.ts';
import { hostOf, isHttp, parseSourceUrl, redactUrl, refuseUserinfo } from '../../gateway/fetch/source-url.ts';
import { checkGuard } from './address.ts';
import type { Parser } from './fuzz.ts';
import { refusalOf } from './refusal.ts';

const guard = createGuard({ allow: [], deny: [], allowPrivate: false, ports: [80, 443] });
const listed = createGuard({ allow: ['https://img.example.com'], deny: [], allowPrivate: false, ports: [80, 443] });

export const url: Parser = {
  name: 'url',
  words: [
    ...['http://', 'https://', 'file:', 'data:', '//', '\\\\', '@', ':', '#', '?', '%2e', '%00', '\\u0000', '\\ud800'],
    ...['[::ffff:127.0.0.1]', '[::1]', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '169.254.169.254', 'localhost'],
    ...['img.example.com', '.example.com', '.svc', '.internal', '\xe2\x91\xa0', '\xe3\x80\x82', '\xc2\xad', 'xn--'],
  ],
  check(input) {
    const text = textOf(input);
    const parsed = refusalOf(() => parseSourceUrl(text), ['invalid_url']);
    checkAgainstWhatwg(text, parsed);
    if (!parsed) return;
    assert.doesNotMatch(text, /[\p{Cc}\p{Cs}]/u);
    assert.equal(parseSourceUrl(parsed.href).href, parsed.href, 'is another URL when it is read again');
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

/** The URL as it comes in a body, with JSON's escapes, which alone can make lone surrogates; else the text as it is. */
function textOf(input: Uint8Array): string {
  const text = Buffer.from(input).toString();
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** What we read is what a browser reads, but for the dot at the host's end; what we refuse has one of our own reasons. */
function checkAgainstWhatwg(text: string, parsed: URL | undefined): void {
  const theirs = URL.parse(text);
  if (parsed) {
    const { pathname, search, port, protocol } = parsed;
    assert.deepEqual(
      [pathname, search, port, protocol],
      [theirs?.pathname, theirs?.search, theirs?.port, theirs?.protocol],
    );
    assert.equal(parsed.hostname, isHttp(parsed) ? theirs?.hostname.replace(/\.$/, '') : theirs?.hostname);
    return;
  }
  const isPlain = theirs !== null && text.length < 2000 && text.isWellFormed() && !/\p{Cc}/u.test(text);
  const isOrdinary = isPlain && /^([a-z\d-]{1,63}\.){1,3}[a-z]{2,10}$/.test(theirs.hostname);
  assert.ok(!isOrdinary, 'refused a URL that nothing is wrong with');
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
