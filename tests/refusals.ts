/** Requests that a gateway refuses by default, whatever its model server, and the expected answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { predict, type Service } from './gateway.ts';

/** The settings that requests over a limit rely on. */
export const LIMITS = { MAX_IMAGE_BYTES: '1MB', MAX_BODY_BYTES: '2MB' };

type Ask = (gateway: Service) => Promise<Response>;
export type Refusal = readonly [what: string, ask: Ask, status: number, kind: string, detail: RegExp];

const image = (name: string) => readFile(new URL(`golden/images/${name}`, import.meta.url));
const jpeg = await image('jpg-420.jpg');

const json =
  (body: unknown, query = ''): Ask =>
  (gateway) =>
    predict(gateway, body, query);
const fetched = (url: string) => json({ url });
const upload =
  (type: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}): Ask =>
  ({ url }) =>
    fetch(`${url}/predict`, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body });
/** A POST without Content-Length and Transfer-Encoding, which fetch cannot send. */
const bodiless =
  (type: string): Ask =>
  async ({ url }) => {
    const sent = request(`${url}/predict`, { method: 'POST', headers: { 'Content-Type': type } });
    sent.removeHeader('Transfer-Encoding');
    const [answer] = (await once(sent.end(), 'response')) as [IncomingMessage];
    const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, `${value}`]);
    return new Response(await textOf(answer), { status: answer.statusCode ?? 0, headers });
  };
const b64 =
  (name: string): Ask =>
  async (gateway) =>
    predict(gateway, { b64: (await image(name)).toString('base64') });
const form =
  (field: string, ...files: Uint8Array[]): Ask =>
  ({ url }) => {
    const body = new FormData();
    for (const file of files) body.append(field, new Blob([new Uint8Array(file)]), 'a.jpg');
    return fetch(`${url}/predict`, { method: 'POST', body });
  };

export const REFUSALS: readonly Refusal[] = [
  ['D3: not JSON', json('{"url": '), 400, 'invalid_json', /JSON/],
  ['D1: no body', json(''), 400, 'invalid_json', /empty/],
  ['D1: no body and no Content-Length', bodiless('application/json'), 400, 'invalid_json', /empty/],
  ['D1: a byte order mark', json('\ufeff{"url": "http://a/"}'), 400, 'invalid_json', /byte order mark/],
  ['D1: UTF-16', upload('application/json', Buffer.from('{"url": "x"}', 'utf16le')), 400, 'invalid_json', /UTF-8/],
  ['D3: 100,000 brackets', json('['.repeat(100_000)), 400, 'invalid_json', /JSON/],
  ['D1: null', json('null'), 400, 'invalid_request', /^body: needs an object/],
  ['D1: a string', json('"x"'), 400, 'invalid_request', /^body: needs an object/],
  ['D3: a trailing comma', json('{"url": "http://a/",}'), 400, 'invalid_json', /JSON/],
  ['D1: a list', json([]), 400, 'invalid_request', /^body: needs an object/],
  ['D1: an empty object', json({}), 400, 'invalid_request', /^body: needs exactly one of url and b64/],
  ['D1: an unknown field', json({ uri: 'http://a/' }), 400, 'invalid_request', /exactly one of url and b64/],
  ['D1: a url that is a number', json({ url: 5 }), 400, 'invalid_request', /^url: needs a string/],
  ['D1: an empty url', json({ url: '' }), 400, 'invalid_request', /^url: must not be empty/],
  ['both url and b64', json({ url: 'http://a/', b64: 'AAAA' }), 400, 'invalid_request', /exactly one of url and b64/],
  [
    'both url and instances',
    json({ url: 'http://a/', instances: [] }),
    400,
    'invalid_request',
    /either instances or one/,
  ],
  ['D12: an empty list', json({ instances: [] }), 400, 'invalid_request', /^instances: must not be empty/],
  ['instances that are not a list', json({ instances: 'x' }), 400, 'invalid_request', /^instances: needs a list/],
  [
    'an instance with a wrong type',
    json({ instances: [{ b64: 'AAAA' }, { url: 7 }] }),
    400,
    'invalid_request',
    /^instances\[1\]\.url: needs a string/,
  ],
  [
    'D12: 65 instances',
    json({ instances: Array(65).fill({ url: 'http://a/' }) }),
    413,
    'body_too_large',
    /^instances: at most 64/,
  ],
  ['b64 that is not base64', json({ b64: 'no base64!' }), 400, 'invalid_request', /^b64: is not base64/],
  ['b64 with one character too many', json({ b64: 'AAAAA' }), 400, 'invalid_request', /^b64: is not base64/],
  ['top=0', json({ b64: 'AAAA' }, '?top=0'), 400, 'invalid_request', /^query top: /],
  ['top given twice', json({ b64: 'AAAA' }, '?top=1&top=2'), 400, 'invalid_request', /^query top: give it once/],
  [
    'an unknown value of scores',
    json({ b64: 'AAAA' }, '?scores=odds'),
    400,
    'invalid_request',
    /^query scores: raw or probabilities/,
  ],
  [
    'both a version and a label',
    json({ b64: 'AAAA' }, '?version=1&label=x'),
    400,
    'invalid_request',
    /either a version or a label/,
  ],
  [
    'a model that does not exist',
    json({ b64: 'AAAA' }, '?model=x'),
    404,
    'model_not_found',
    /there are clothing-model/,
  ],
  [
    'D6: a urlencoded form, the default of curl',
    upload('application/x-www-form-urlencoded', 'url=x'),
    415,
    'unsupported_media',
    /application\/json/,
  ],
  ['D6: no content type', upload('', Buffer.from('{}')), 415, 'unsupported_media', /missing/],
  ['D6: latin1', upload('application/json; charset=latin1', '{}'), 415, 'unsupported_media', /utf-8/],
  [
    'D6: a body compressed in a way that is not offered',
    upload('application/json', 'x', { 'Content-Encoding': 'br' }),
    415,
    'unsupported_media',
    /gzip or deflate/,
  ],
  [
    'D6: a body that is not compressed as it says',
    upload('application/json', 'x', { 'Content-Encoding': 'gzip' }),
    400,
    'invalid_request',
    /cannot be decompressed/,
  ],
  [
    'D5: a body over its limit',
    upload('application/json', Buffer.alloc(2_000_001, ' ')),
    413,
    'body_too_large',
    /2000000 bytes \(MAX_BODY_BYTES\)/,
  ],
  [
    'D5: an image body over its limit',
    upload('image/jpeg', Buffer.alloc(1_000_001)),
    413,
    'body_too_large',
    /1000000 bytes \(MAX_IMAGE_BYTES\)/,
  ],
  ['D5: a file over its limit', form('file', Buffer.alloc(1_000_001)), 413, 'body_too_large', /MAX_IMAGE_BYTES/],
  [
    'D5: a form over its limit',
    form('file', Buffer.alloc(900_000), Buffer.alloc(900_000), Buffer.alloc(900_000)),
    413,
    'body_too_large',
    /MAX_BODY_BYTES/,
  ],
  ['D10: 65 files', form('file', ...Array<Buffer>(65).fill(Buffer.from('x'))), 413, 'body_too_large', /at most 64/],
  [
    'D10: a file under another name',
    form('photo', jpeg),
    400,
    'invalid_request',
    /^photo: send the images as parts named file/,
  ],
  ['D10: a form without files', form('file'), 400, 'invalid_request', /^file: send at least one/],
  ['D10: a form without boundary', upload('multipart/form-data', 'x'), 400, 'invalid_request', /boundary/],
  [
    'D10: a truncated form',
    upload(
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxx',
    ),
    400,
    'invalid_request',
    /malformed/,
  ],

  ['a url that is not a URL', fetched('pants.jpg'), 400, 'invalid_url', /^url: /],
  ['B2: a password', fetched('http://me:secret@example.com/a.jpg'), 400, 'invalid_url', /^url: /],
  ['B3: a URL of 9 KB', fetched(`http://example.com/${'a'.repeat(9000)}`), 400, 'invalid_url', /^url: /],
  ['B1: another scheme', fetched('ftp://example.com/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['A36: a closed port', fetched('http://93.184.215.14:22/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['A16: a private address', fetched('http://10.0.0.1/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['A18: the metadata address', fetched('http://169.254.169.254/latest/'), 403, 'source_forbidden', /^url: /],
  ['A7: an IPv6 loopback', fetched('http://[::1]/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['A8: an IPv6-mapped address', fetched('http://[::ffff:10.0.0.1]/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['A3: a decimal host', fetched('http://167772161/a.jpg'), 403, 'source_forbidden', /^url: /],

  ['C5: 50,000 x 50,000 pixels as b64', b64('bomb-png-50000x50000-declared.png'), 422, 'image_too_large', /^b64 /],
  ['C1: a truncated JPEG', b64('jpg-bad-truncated-half.jpg'), 422, 'image_unreadable', /^b64 /],
  ['C3: a BMP', b64('bmp-24.bmp'), 422, 'image_unsupported', /BMP/],
  ['C3: a TIFF', b64('tif-rgb8-be.tif'), 422, 'image_unsupported', /TIFF/],
  ['bytes of no known format', json({ b64: 'AAAAAAAA' }), 422, 'image_unreadable', /^b64 /],
  ['C4: an image body that is text', upload('image/jpeg', 'hello'), 422, 'image_unreadable', /^body /],

  ['D9: another route', ({ url }) => fetch(`${url}/predictions`), 404, 'not_found', /POST \/predict/],
  ['D9: a path that cannot be decoded', ({ url }) => fetch(`${url}/%ff`), 404, 'not_found', /POST \/predict/],
  ['D9: another method', ({ url }) => fetch(`${url}/predict`, { method: 'PUT' }), 405, 'method_not_allowed', /POST/],
];

/** Internals that must not appear in an answer: addresses, paths, stack traces, names of libraries. */
export const LEAKS =
  /127\.0\.0|10\.0\.0\.1|169\.254|node:|\.ts:|node_modules|ECONN|ENOTFOUND|sharp|vips|grpc|body-parser|busboy/i;

/** Sends the request; checks the problem document, its kind, and that it leaks no internals. Returns the request id. */
export async function checkRefusal(gateway: Service, [, ask, status, kind, detail]: Refusal): Promise<string> {
  const response = await ask(gateway);
  const text = await response.text();
  const problem = JSON.parse(text) as Record<string, string>;
  assert.deepEqual([response.status, problem.kind], [status, kind], text);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal(problem.status, status);
  assert.equal(problem.type, `urn:tensorgate:error:${kind}`);
  assert.match(problem.detail ?? '', detail);
  assert.equal(problem.request_id, response.headers.get('x-request-id'));
  assert.match(problem.trace_id ?? '', /^[\da-f]{32}$/);
  assert.doesNotMatch(text, LEAKS);
  return problem.request_id ?? '';
}
