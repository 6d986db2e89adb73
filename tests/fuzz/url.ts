/** Fuzzes the URL of an image, from the JSON text to the guard's decision. Reference: the WHATWG URL parser. */
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
    const text = textOf(input).trim();
    const parsed = refusalOf(() => parseSourceUrl(textOf(input)), ['invalid_url']);
    checkAgainstWhatwg(text, parsed);
    if (!parsed) return;
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
