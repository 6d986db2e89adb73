/** B: sources that answer badly, slowly, endlessly or not at all. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import {
  detailOf,
  expectAnswer,
  expectEach,
  expectRefused,
  expectSameScores,
  expectWithin,
  scorePicture,
  scoresOf,
} from './expect.ts';
import { hangUp } from './hang-up.ts';
import { type Drill, type DrillLine, Mismatch, Skip } from './line.ts';
import { announces, answer, drip, endless, rawAnswer, reset, silent } from './pages.ts';

/** Has the endpoint fetch from each page, and wants one of the allowed answers for each. */
function fetchEach(
  { endpoint, origin }: Drill,
  pages: Readonly<Record<string, Parameters<typeof origin.page>[0]>>,
  ...allowed: string[]
) {
  return expectEach(pages, (page) => endpoint.predictJson({ url: origin.page(page).url }), ...allowed);
}

/** More than anybody lets through, and still a modest download where the cap is missing. */
const ENDLESS_BYTES = 64e6;
/** The default limit of 5 s, and time for the way to the endpoint and back. */
const TIMEOUT_MS = 6500;

export const FETCHES: readonly DrillLine[] = [
  {
    id: 'B1',
    sends: 'file:, ftp:, gopher:, blob:, javascript:',
    expects: '403, no input or output',
    run: (drill) =>
      expectRefused(drill, [
        'file:///etc/passwd',
        'ftp://a.example/a.png',
        'gopher://a.example/',
        'blob:x',
        'javascript:1',
      ]),
  },
  {
    id: 'B2',
    sends: 'a URL with user and password',
    expects: '400 invalid_url, not repeated',
    async run({ endpoint }) {
      const came = await endpoint.predictJson({ url: 'https://me:drill-secret@example.com/a.png' });
      if (came.text.includes('drill-secret')) throw new Mismatch('the answer repeats the password');
      return expectAnswer(came, '400 invalid_url');
    },
  },
  {
    id: 'B3',
    sends: '8 KiB and more, NUL, newline, lone surrogate',
    expects: '400 invalid_url',
    run: ({ endpoint }) =>
      expectEach(
        { long: `/${'a'.repeat(8192)}`, nul: '/\0', newline: '/\n', surrogate: '/\ud800' },
        (path) => endpoint.predictJson({ url: `http://example.com${path}` }),
        '400 invalid_url',
      ),
  },
  {
    id: 'B4',
    sends: 'a name that does not exist',
    expects: '502 source_failed within 4 s, in the words of a refusal',
    async run({ endpoint, refusals }) {
      const came = await endpoint.predictJson({ url: 'http://no-such-host.invalid/a.png' });
      expectWithin(came, 4000);
      refusals.add(detailOf(came));
      if (refusals.size > 1) throw new Mismatch(`502, in other words than a refusal: ${[...refusals].join(' | ')}`);
      return expectAnswer(came, '502 source_failed');
    },
  },
  {
    id: 'B5',
    sends: 'a source that resets the connection, TLS to a port that speaks none',
    expects: '502 source_failed',
    needs: 'origin',
    run: ({ endpoint, origin }) =>
      expectEach(
        { reset: origin.page(reset).url, tls: origin.page(reset).url.replace('http:', 'https:') },
        (url) => endpoint.predictJson({ url }),
        '502 source_failed',
      ),
  },
  { id: 'B6', sends: 'a host that drops packets', unseen: 'needs a host that drops packets' },
  {
    id: 'B7',
    sends: 'a source that never answers, one that sends a byte at a time',
    expects: '504 source_timeout within 6.5 s',
    needs: 'origin',
    async run({ endpoint, origin }) {
      for (const page of [silent, drip]) {
        const came = await endpoint.predictJson({ url: origin.page(page).url });
        expectAnswer(came, '504 source_timeout');
        expectWithin(came, TIMEOUT_MS);
      }
      return '504 source_timeout';
    },
  },
  {
    id: 'B8',
    sends: '10 GB announced',
    expects: '422 source_too_large before the body',
    needs: 'origin',
    run: (drill) => fetchEach(drill, { announced: announces(10e9) }, '422 source_too_large'),
  },
  {
    id: 'B9',
    sends: 'a body without length or end (64 MB at most)',
    expects: '422 source_too_large',
    needs: 'origin',
    run: (drill) => fetchEach(drill, { endless: endless(ENDLESS_BYTES) }, '422 source_too_large'),
  },
  {
    id: 'B10',
    sends: 'gzip of 100 MB, gzip on gzip, br',
    expects: '422',
    needs: 'origin',
    run(drill) {
      const bomb = gzipSync(Buffer.alloc(100e6));
      const encoded = (encoding: string, body: Uint8Array) => answer(200, body, { 'Content-Encoding': encoding });
      const pages = {
        gzip: encoded('gzip', bomb),
        chain: encoded('gzip, gzip', gzipSync(bomb)),
        br: encoded('br', brotliCompressSync(Buffer.alloc(1e6))),
      };
      return fetchEach(drill, pages, '422 source_not_image', '422 source_too_large');
    },
  },
  {
    id: 'B11',
    sends: 'a body shorter than announced, and one longer',
    expects: '502; 200 with the announced part',
    needs: 'origin',
    async run(drill) {
      const { picture } = drill;
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${picture.length}\r\n\r\n`;
      const bytes = picture.toString('latin1');
      const short = await fetchEach(drill, { short: rawAnswer(head + bytes.slice(0, -20)) }, '502 source_failed');
      const long = await fetchEach(drill, { long: rawAnswer(`${head}${bytes}more`) }, '200');
      return `${short}, ${long}`;
    },
  },
  {
    id: 'B12',
    sends: '404, 410, 401, 403 of the source; 500, 503, 204, 206, 304',
    expects: '422 source_failed; 502 source_failed',
    needs: 'origin',
    async run(drill) {
      const pages = (statuses: readonly number[]) =>
        Object.fromEntries(statuses.map((status) => [String(status), answer(status, drill.picture)]));
      const client = await fetchEach(drill, pages([404, 410, 401, 403]), '422 source_failed');
      return `${client}, ${await fetchEach(drill, pages([500, 503, 204, 206, 304]), '502 source_failed')}`;
    },
  },
  {
    id: 'B13',
    sends: 'a redirect loop, a 301 to nowhere',
    expects: '502 source_failed, few requests',
    needs: 'origin',
    async run(drill) {
      const { endpoint, origin } = drill;
      const loop = origin.page(({ url = '/' }, response) => response.writeHead(302, { Location: url }).end());
      const came = expectAnswer(await endpoint.predictJson({ url: loop.url }), '502 source_failed');
      if (loop.requests.length > 11) throw new Mismatch(`${came} after ${loop.requests.length} requests`);
      return `${await fetchEach(drill, { nowhere: answer(301) }, '502 source_failed')} after ${loop.requests.length} requests`;
    },
  },
  {
    id: 'B14',
    sends: 'a page of HTML, nothing, JSON',
    expects: '422 source_not_image',
    needs: 'origin',
    run(drill) {
      const page = (type: string, body: string) => answer(200, body, { 'Content-Type': type });
      const pages = { html: page('text/html', '<html>log in</html>'), empty: answer(200), json: answer(200, '{}') };
      return fetchEach(drill, pages, '422 source_not_image');
    },
  },
  {
    id: 'B15',
    sends: 'a picture called text/plain',
    expects: 'the scores of the upload',
    needs: 'origin',
    async run({ endpoint, origin, picture }) {
      const page = origin.page(answer(200, picture, { 'Content-Type': 'text/plain' }));
      const scores = scoresOf(await endpoint.predictJson({ url: page.url }));
      expectSameScores(await scorePicture(endpoint, picture), scores, 'the same picture');
      return '200, same scores';
    },
  },
  {
    id: 'B16',
    sends: 'one URL eight times at once',
    expects: '200 each',
    needs: 'origin',
    async run({ endpoint, origin, picture }) {
      const page = origin.page(answer(200, picture));
      const all = await Promise.all(Array.from({ length: 8 }, () => endpoint.predictJson({ url: page.url })));
      for (const one of all) expectAnswer(one, '200');
      return `200 after ${page.requests.length} fetches`;
    },
  },
  { id: 'B17', sends: 'one slow host among fast ones', unseen: 'needs load' },
  {
    id: 'B18',
    sends: 'a client that hangs up during the fetch',
    expects: 'the fetch ends within 2 s',
    needs: 'origin',
    run: hangUp,
  },
  {
    id: 'B19',
    sends: 'data: URLs, good, without comma, with text',
    expects: '200; 400; 422',
    async run({ endpoint, picture }) {
      const send = (rest: string) => endpoint.predictJson({ url: `data:${rest}` });
      const good = await send(`image/png;base64,${picture.toString('base64')}`);
      if (good.status === 403) throw new Skip('data: URLs are not offered (403)');
      const bad = { 'no comma': 'image/png;base64', 'bad base64': 'image/png;base64,=a=' };
      await expectEach(bad, send, '400 invalid_url', '400 invalid_request');
      await expectEach({ text: 'text/html,<p>' }, send, '422');
      return expectAnswer(good, '200');
    },
  },
  {
    id: 'B20',
    sends: 'gs:// and s3:// of buckets that nobody has, with ../',
    expects: '502 source_failed, or 403 where they are not offered',
    run: ({ endpoint }) =>
      expectEach(
        {
          gs: 'gs://tensorgate-drill-nobody-has-this/../a.png',
          s3: 's3://tensorgate-drill-nobody-has-this/%2e%2e%2fa.png',
        },
        (url) => endpoint.predictJson({ url }),
        '502 source_failed',
        '403 source_forbidden',
      ),
  },
  {
    id: 'B21',
    sends: 'HTTP/0.9, a bad status line, 1 MiB of header, 10,000 headers, a folded one',
    expects: '502 source_failed',
    needs: 'origin',
    run(drill) {
      const pages = {
        'HTTP/0.9': '<html>hello</html>',
        'status line': 'HTTP/1.1 2OO OK\r\n\r\n',
        '1 MiB': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 ** 20)}\r\n\r\n`,
        '10,000': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
        folded: 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n',
      };
      const raw = Object.fromEntries(Object.entries(pages).map(([name, bytes]) => [name, rawAnswer(bytes)]));
      return fetchEach(drill, raw, '502 source_failed');
    },
  },
  {
    id: 'B22',
    sends: "the client's cookie, Referer and key",
    expects: 'none of them reaches the source',
    needs: 'origin',
    async run({ endpoint, origin, picture }) {
      const page = origin.page(answer(200, picture));
      const headers = { Cookie: 'session=drill', Referer: 'http://a.example/drill', 'X-Api-Key': 'drill' };
      const came = await endpoint.predict(JSON.stringify({ url: page.url }), 'application/json', headers);
      const secrets = ['cookie', 'referer', 'authorization', 'x-api-key'];
      const passedOn = secrets.filter((name) => page.requests[0]?.headers[name] !== undefined);
      if (passedOn.length > 0) throw new Mismatch(`the source was sent ${passedOn.join(', ')}`);
      return expectAnswer(came, '200');
    },
  },
];
