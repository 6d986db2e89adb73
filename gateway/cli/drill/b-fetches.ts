/** B: sources with bad, slow, endless or no responses. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Check, type Drill, Mismatch, Skip } from './check.ts';
import {
  detailOf,
  expectEach,
  expectRefused,
  expectResponse,
  expectSameScores,
  expectWithin,
  scorePicture,
  scoresOf,
} from './expect.ts';
import { hangUp } from './hang-up.ts';
import { drip, endless, headOnly, rawResponse, reset, respondWith, silent } from './pages.ts';

/** Makes the endpoint fetch each page. Every response must be one of `allowed`. */
function fetchEach(
  { endpoint, origin }: Drill,
  pages: Readonly<Record<string, Parameters<typeof origin.page>[0]>>,
  ...allowed: string[]
) {
  return expectEach(pages, (page) => endpoint.predictJson({ url: origin.page(page).url }), ...allowed);
}

/** Above any sensible size limit, and still a modest download for an endpoint without one. */
const ENDLESS_BYTES = 64e6;
/** FETCH_TIMEOUT's default of 5 s, plus the round trip to the endpoint. */
const TIMEOUT_MS = 6500;

export const FETCHES: readonly Check[] = [
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
    expects: '400 invalid_url, without the password',
    async run({ endpoint }) {
      const response = await endpoint.predictJson({ url: 'https://me:drill-secret@example.com/a.png' });
      if (response.text.includes('drill-secret')) throw new Mismatch('the response contains the password');
      return expectResponse(response, '400 invalid_url');
    },
  },
  {
    id: 'B3',
    sends: '8 KiB and more, NUL, a newline in it, lone surrogate',
    expects: '400 invalid_url',
    run: ({ endpoint }) =>
      expectEach(
        { long: `/${'a'.repeat(8192)}`, nul: '/\0x', newline: '/a\nb', surrogate: '/\ud800' },
        (path) => endpoint.predictJson({ url: `http://example.com${path}` }),
        '400 invalid_url',
      ),
  },
  {
    id: 'B4',
    sends: 'a name that does not exist',
    expects: '502 source_failed within 4 s, with the text of a refusal',
    async run({ endpoint, refusals }) {
      const response = await endpoint.predictJson({ url: 'http://no-such-host.invalid/a.png' });
      expectWithin(response, 4000);
      refusals.add(detailOf(response));
      if (refusals.size > 1) throw new Mismatch(`502 with another text than a refusal: ${[...refusals].join(' | ')}`);
      return expectResponse(response, '502 source_failed');
    },
  },
  {
    id: 'B5',
    sends: 'a source that resets the connection, TLS to a plain HTTP port',
    expects: '502 source_failed',
    needs: 'origin',
    run: ({ endpoint, origin }) =>
      expectEach(
        { reset: origin.page(reset).url, tls: origin.page(reset).url.replace('http:', 'https:') },
        (url) => endpoint.predictJson({ url }),
        '502 source_failed',
      ),
  },
  { id: 'B6', sends: 'a host that drops packets', skipReason: 'needs a host that drops packets' },
  {
    id: 'B7',
    sends: 'a source that never answers, one that sends one byte every 250 ms',
    expects: '504 source_timeout within 6.5 s',
    needs: 'origin',
    async run({ endpoint, origin }) {
      for (const page of [silent, drip]) {
        const response = await endpoint.predictJson({ url: origin.page(page).url });
        expectResponse(response, '504 source_timeout');
        expectWithin(response, TIMEOUT_MS);
      }
      return '504 source_timeout';
    },
  },
  {
    id: 'B8',
    sends: 'Content-Length: 10 GB',
    expects: '422 source_too_large before the body is read',
    needs: 'origin',
    run: (drill) => fetchEach(drill, { '10 GB': headOnly(10e9) }, '422 source_too_large'),
  },
  {
    id: 'B9',
    sends: 'a body without a length, longer than any limit (64 MB at most)',
    expects: '422 source_too_large',
    needs: 'origin',
    run: (drill) => fetchEach(drill, { endless: endless(ENDLESS_BYTES) }, '422 source_too_large'),
  },
  {
    id: 'B10',
    sends: 'Content-Encoding: 100 MB of gzip, gzip twice, br',
    expects: '422',
    needs: 'origin',
    run(drill) {
      const bomb = gzipSync(Buffer.alloc(100e6));
      const encoded = (encoding: string, body: Uint8Array) => respondWith(200, body, { 'Content-Encoding': encoding });
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
    sends: 'a body shorter than Content-Length, and a longer one',
    expects: '502; 200 from the first Content-Length bytes',
    needs: 'origin',
    async run(drill) {
      const { picture } = drill;
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${picture.length}\r\n\r\n`;
      const bytes = picture.toString('latin1');
      const short = await fetchEach(drill, { short: rawResponse(head + bytes.slice(0, -20)) }, '502 source_failed');
      const long = await fetchEach(drill, { long: rawResponse(`${head}${bytes}more`) }, '200');
      return `${short}, ${long}`;
    },
  },
  {
    id: 'B12',
    sends: 'sources with status 404, 410, 401, 403; 500, 503, 204, 206, 304',
    expects: '422 source_failed; 502 source_failed',
    needs: 'origin',
    async run(drill) {
      const pages = (statuses: readonly number[]) =>
        Object.fromEntries(statuses.map((status) => [String(status), respondWith(status, drill.picture)]));
      const client = await fetchEach(drill, pages([404, 410, 401, 403]), '422 source_failed');
      return `${client}, ${await fetchEach(drill, pages([500, 503, 204, 206, 304]), '502 source_failed')}`;
    },
  },
  {
    id: 'B13',
    sends: 'a redirect loop, a 301 without Location',
    expects: '502 source_failed, few requests',
    needs: 'origin',
    async run(drill) {
      const { endpoint, origin } = drill;
      const loop = origin.page(({ url = '/' }, response) => response.writeHead(302, { Location: url }).end());
      const came = expectResponse(await endpoint.predictJson({ url: loop.url }), '502 source_failed');
      if (loop.requests.length > 11) throw new Mismatch(`${came} after ${loop.requests.length} requests`);
      return `${await fetchEach(drill, { nowhere: respondWith(301) }, '502 source_failed')} after ${loop.requests.length} requests`;
    },
  },
  {
    id: 'B14',
    sends: 'HTML, an empty body, JSON',
    expects: '422 source_not_image',
    needs: 'origin',
    run(drill) {
      const page = (type: string, body: string) => respondWith(200, body, { 'Content-Type': type });
      const pages = {
        html: page('text/html', '<html>log in</html>'),
        empty: respondWith(200),
        json: respondWith(200, '{}'),
      };
      return fetchEach(drill, pages, '422 source_not_image');
    },
  },
  {
    id: 'B15',
    sends: 'a picture with Content-Type text/plain',
    expects: 'the scores of the upload',
    needs: 'origin',
    async run({ endpoint, origin, picture }) {
      const page = origin.page(respondWith(200, picture, { 'Content-Type': 'text/plain' }));
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
      const page = origin.page(respondWith(200, picture));
      const all = await Promise.all(Array.from({ length: 8 }, () => endpoint.predictJson({ url: page.url })));
      for (const one of all) expectResponse(one, '200');
      return `200 after ${page.requests.length} fetches`;
    },
  },
  { id: 'B17', sends: 'one slow host among fast ones', skipReason: 'needs load' },
  {
    id: 'B18',
    sends: 'a client that hangs up during the fetch',
    expects: 'the fetch ends within 2 s',
    needs: 'origin',
    run: hangUp,
  },
  {
    id: 'B19',
    sends: 'data: URLs: a picture, without a comma, HTML',
    expects: '200; 400; 422',
    async run({ endpoint, picture }) {
      const send = (rest: string) => endpoint.predictJson({ url: `data:${rest}` });
      const good = await send(`image/png;base64,${picture.toString('base64')}`);
      if (good.status === 403) throw new Skip('data: URLs are not supported (403)');
      const bad = { 'no comma': 'image/png;base64', 'bad base64': 'image/png;base64,=a=' };
      await expectEach(bad, send, '400 invalid_url', '400 invalid_request');
      await expectEach({ text: 'text/html,<p>' }, send, '422');
      return expectResponse(good, '200');
    },
  },
  {
    id: 'B20',
    sends: 'gs:// and s3:// with ../, in buckets that do not exist',
    expects: '502 source_failed, or 403 if they are not supported',
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
    sends: 'HTTP/0.9, a bad status line, a 1 MiB header, 10,000 headers, two lengths',
    expects: '502 source_failed',
    needs: 'origin',
    run(drill) {
      const pages = {
        'HTTP/0.9': '<html>hello</html>',
        'status line': 'HTTP/1.1 2OO OK\r\n\r\n',
        '1 MiB': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 ** 20)}\r\n\r\n`,
        '10,000': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
        lengths: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      };
      const raw = Object.fromEntries(Object.entries(pages).map(([name, bytes]) => [name, rawResponse(bytes)]));
      return fetchEach(drill, raw, '502 source_failed');
    },
  },
  {
    id: 'B22',
    sends: "the client's cookie, Referer and key",
    expects: 'none of them is sent to the source',
    needs: 'origin',
    async run({ endpoint, origin, picture }) {
      const page = origin.page(respondWith(200, picture));
      const headers = { Cookie: 'session=drill', Referer: 'http://a.example/drill', 'X-Api-Key': 'drill' };
      const response = await endpoint.predict(JSON.stringify({ url: page.url }), 'application/json', headers);
      const secrets = ['cookie', 'referer', 'authorization', 'x-api-key'];
      const passedOn = secrets.filter((name) => page.requests[0]?.headers[name] !== undefined);
      if (passedOn.length > 0) throw new Mismatch(`the source received ${passedOn.join(', ')}`);
      return expectResponse(response, '200');
    },
  },
];
