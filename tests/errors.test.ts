import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { predict, type RunningGateway, startGateway, startGatewayFor } from './gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { endless, type Origin, redirectTo, slowDrip, startOrigin } from './origin.ts';

const image = (name: string) => readFile(new URL(`golden/images/${name}`, import.meta.url));
const jpeg = await image('jpg-420.jpg');

let model: ModelServer;
let origin: Origin;
let gateway: RunningGateway;

before(async (t) => {
  origin = await startOrigin({
    '/good.jpg': jpeg,
    '/page.html': (_request, response) => response.setHeader('Content-Type', 'text/html').end('<html>log in</html>'),
    '/json': (_request, response) => response.end('{"image": false}'),
    '/empty': (_request, response) => response.end(),
    '/broken': (_request, response) => response.writeHead(500).end('oops'),
    '/loop': redirectTo('/loop'),
    '/to-private': redirectTo('http://10.0.0.1/x.jpg'),
    '/to-loopback': redirectTo('http://127.0.0.2/x.jpg'),
    '/to-file': redirectTo('file:///etc/passwd'),
    '/slow': slowDrip,
    '/endless': endless,
    '/big': (_request, response) => response.writeHead(200, { 'Content-Length': '10000000000' }).flushHeaders(),
    '/bomb.png': await image('bomb-png-50000x50000-declared.png'),
    '/picture.svg': await image('junk-svg.svg'),
  });
  model = await startModelServer({
    ...XCEPTION,
    onPredict: () => ({ dense_7: floatTensor([1, 10], Array(10).fill(1)) }),
  });
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    // The test's own origin is open, the rest of the private world is not.
    FETCH_ALLOW: '127.0.0.1/32',
    FETCH_PORTS: `80,443,${origin.port}`,
    FETCH_TIMEOUT: '800ms',
    MAX_IMAGE_BYTES: '1MB',
    MAX_BODY_BYTES: '2MB',
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await origin.close();
  assert.equal(code, 0);
});

type Case = readonly [what: string, ask: () => Promise<Response>, status: number, kind: string, detail: RegExp];

const url = (text: string) => () => predict(gateway, { url: text });
const page = (path: string) => () => predict(gateway, { url: `${origin.url}${path}` });
const json =
  (body: unknown, query = '') =>
  () =>
    predict(gateway, body, query);
const upload =
  (type: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
  () =>
    fetch(`${gateway.url}/predict`, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body });
/** A POST with neither Content-Length nor Transfer-Encoding, which fetch cannot send. */
const bodiless = async (type: string): Promise<Response> => {
  const asked = request(`${gateway.url}/predict`, { method: 'POST', headers: { 'Content-Type': type } });
  asked.removeHeader('Transfer-Encoding');
  const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage];
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, `${value}`]);
  return new Response(await textOf(answer), { status: answer.statusCode ?? 0, headers });
};
const b64 = async (name: string) => predict(gateway, { b64: (await image(name)).toString('base64') });
const form =
  (field: string, ...files: Uint8Array[]) =>
  () => {
    const body = new FormData();
    for (const file of files) body.append(field, new Blob([new Uint8Array(file)]), 'a.jpg');
    return fetch(`${gateway.url}/predict`, { method: 'POST', body });
  };

const CASES: readonly Case[] = [
  ['not JSON', json('{"url": '), 400, 'invalid_json', /JSON/],
  ['no body', json(''), 400, 'invalid_json', /empty/],
  ['no body and no length', () => bodiless('application/json'), 400, 'invalid_json', /empty/],
  ['a byte order mark', json('\ufeff{"url": "http://a/"}'), 400, 'invalid_json', /byte order mark/],
  ['UTF-16', upload('application/json', Buffer.from('{"url": "x"}', 'utf16le')), 400, 'invalid_json', /UTF-8/],
  ['100,000 brackets', json('['.repeat(100_000)), 400, 'invalid_json', /JSON/],
  ['null', json('null'), 400, 'invalid_request', /^body: needs an object/],
  ['a list', json([]), 400, 'invalid_request', /^body: needs an object/],
  ['an empty object', json({}), 400, 'invalid_request', /^body: needs exactly one of url and b64/],
  ['a wrong field', json({ uri: 'http://a/' }), 400, 'invalid_request', /exactly one of url and b64/],
  ['a url that is a number', json({ url: 5 }), 400, 'invalid_request', /^url: needs a string/],
  ['an empty url', json({ url: '' }), 400, 'invalid_request', /^url: must not be empty/],
  ['both url and b64', json({ url: 'http://a/', b64: 'AAAA' }), 400, 'invalid_request', /exactly one of url and b64/],
  [
    'both url and instances',
    json({ url: 'http://a/', instances: [] }),
    400,
    'invalid_request',
    /either instances or one/,
  ],
  ['an empty list', json({ instances: [] }), 400, 'invalid_request', /^instances: must not be empty/],
  ['instances that are no list', json({ instances: 'x' }), 400, 'invalid_request', /^instances: needs a list/],
  [
    'a wrong instance',
    json({ instances: [{ b64: 'AAAA' }, { url: 7 }] }),
    400,
    'invalid_request',
    /^instances\[1\]\.url: needs a string/,
  ],
  [
    '65 instances',
    json({ instances: Array(65).fill({ url: 'http://a/' }) }),
    413,
    'body_too_large',
    /^instances: at most 64/,
  ],
  ['b64 that is none', json({ b64: 'no base64!' }), 400, 'invalid_request', /^b64: is not base64/],
  ['top=0', json({ b64: 'AAAA' }, '?top=0'), 400, 'invalid_request', /^query top: /],
  ['top twice', json({ b64: 'AAAA' }, '?top=1&top=2'), 400, 'invalid_request', /^query top: give it once/],
  [
    'an unknown kind of scores',
    json({ b64: 'AAAA' }, '?scores=odds'),
    400,
    'invalid_request',
    /^query scores: raw or probabilities/,
  ],
  [
    'a version and a label',
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
    'a form as curl sends it',
    upload('application/x-www-form-urlencoded', 'url=x'),
    415,
    'unsupported_media',
    /application\/json/,
  ],
  ['no content type', upload('', Buffer.from('{}')), 415, 'unsupported_media', /missing/],
  ['latin1', upload('application/json; charset=latin1', '{}'), 415, 'unsupported_media', /utf-8/],
  [
    'a compressed body',
    upload('application/json', 'x', { 'Content-Encoding': 'gzip' }),
    415,
    'unsupported_media',
    /uncompressed/,
  ],
  [
    'a body over its limit',
    upload('application/json', Buffer.alloc(2_000_001, ' ')),
    413,
    'body_too_large',
    /2000000 bytes \(MAX_BODY_BYTES\)/,
  ],
  [
    'an image body over its limit',
    upload('image/jpeg', Buffer.alloc(1_000_001)),
    413,
    'body_too_large',
    /1000000 bytes \(MAX_IMAGE_BYTES\)/,
  ],
  ['a file over its limit', form('file', Buffer.alloc(1_000_001)), 413, 'body_too_large', /MAX_IMAGE_BYTES/],
  [
    'a form over its limit',
    form('file', Buffer.alloc(900_000), Buffer.alloc(900_000), Buffer.alloc(900_000)),
    413,
    'body_too_large',
    /MAX_BODY_BYTES/,
  ],
  ['65 files', form('file', ...Array<Buffer>(65).fill(Buffer.from('x'))), 413, 'body_too_large', /at most 64/],
  [
    'a file under another name',
    form('photo', jpeg),
    400,
    'invalid_request',
    /^photo: send the images as parts named file/,
  ],
  ['a form without files', form('file'), 400, 'invalid_request', /^file: send at least one/],
  ['a form without boundary', upload('multipart/form-data', 'x'), 400, 'invalid_request', /boundary/],
  [
    'a form cut short',
    upload(
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxx',
    ),
    400,
    'invalid_request',
    /malformed/,
  ],

  ['no URL at all', url('pants.jpg'), 400, 'invalid_url', /^url: /],
  ['a password', url('http://me:secret@example.com/a.jpg'), 400, 'invalid_url', /^url: /],
  ['9 KB of URL', url(`http://example.com/${'a'.repeat(9000)}`), 400, 'invalid_url', /^url: /],
  ['another scheme', url('ftp://example.com/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['a closed port', url('http://93.184.215.14:22/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['a private address', url('http://10.0.0.1/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['the metadata address', url('http://169.254.169.254/latest/'), 403, 'source_forbidden', /^url: /],
  ['a name that does not exist', url('http://localhost.localdomain.internal/'), 502, 'source_failed', /^url: /],
  ['an IPv6 loopback', url('http://[::1]/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['an IPv6-mapped address', url('http://[::ffff:10.0.0.1]/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['a decimal host', url('http://167772161/a.jpg'), 403, 'source_forbidden', /^url: /],
  ['a redirect to a private address', page('/to-private'), 403, 'source_forbidden', /^url: /],
  ['a redirect to loopback', page('/to-loopback'), 403, 'source_forbidden', /^url: /],
  ['a redirect to a file', page('/to-file'), 403, 'source_forbidden', /^url: /],
  ['a redirect loop', page('/loop'), 502, 'source_failed', /redirects more than 3 times/],
  ['a 404', page('/nowhere'), 422, 'source_failed', /status 404/],
  ['a 500', page('/broken'), 502, 'source_failed', /status 500/],
  ['a text page', page('/page.html'), 422, 'source_not_image', /not an image/],
  ['JSON instead of an image', page('/json'), 422, 'source_not_image', /not an image/],
  ['an empty answer', page('/empty'), 422, 'source_not_image', /not an image/],
  ['a slow drip', page('/slow'), 504, 'source_timeout', /in time/],
  ['10 GB announced', page('/big'), 422, 'source_too_large', /^url: /],
  ['an endless body', page('/endless'), 422, 'source_too_large', /^url: /],

  ['50,000 x 50,000 pixels', page('/bomb.png'), 422, 'image_too_large', /50000 x 50000/],
  ['50,000 x 50,000 pixels as b64', () => b64('bomb-png-50000x50000-declared.png'), 422, 'image_too_large', /^b64 /],
  ['a truncated JPEG', () => b64('jpg-bad-truncated-half.jpg'), 422, 'image_unreadable', /^b64 /],
  ['an SVG', page('/picture.svg'), 422, 'image_unsupported', /SVG/],
  ['a BMP', () => b64('bmp-24.bmp'), 422, 'image_unsupported', /BMP/],
  ['a TIFF', () => b64('tif-rgb8-be.tif'), 422, 'image_unsupported', /TIFF/],
  ['bytes of no format', json({ b64: 'AAAAAAAA' }), 422, 'image_unreadable', /^b64 /],
  ['an image body that is text', upload('image/jpeg', 'hello'), 422, 'image_unreadable', /^body /],

  ['another route', () => fetch(`${gateway.url}/predictions`), 404, 'not_found', /POST \/predict/],
  ['a path that cannot be decoded', () => fetch(`${gateway.url}/%ff`), 404, 'not_found', /POST \/predict/],
  ['another method', () => fetch(`${gateway.url}/predict`, { method: 'PUT' }), 405, 'method_not_allowed', /POST/],
];

/** Nothing of the inside may stand in an answer: addresses, paths, stacks, names of libraries. */
const LEAKS =
  /127\.0\.0|10\.0\.0\.1|169\.254|node:|\.ts:|node_modules|ECONN|ENOTFOUND|sharp|vips|grpc|body-parser|busboy/i;

for (const [what, ask, status, kind, detail] of CASES) {
  test(`${what}: ${status} ${kind}`, async () => {
    const startedMs = performance.now();
    const response = await ask();
    const tookMs = performance.now() - startedMs;
    const text = await response.text();
    const problem = JSON.parse(text) as Record<string, string>;
    assert.deepEqual([response.status, problem.kind], [status, kind], text);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.equal(problem.status, status);
    assert.equal(problem.type, `urn:tensorgate:error:${kind}`);
    assert.match(problem.detail ?? '', detail);
    assert.equal(problem.request_id, response.headers.get('x-request-id'));
    assert.doesNotMatch(text, LEAKS);
    assert.ok(tookMs < 2500, `took ${tookMs} ms`);
    const lines = await gateway.linesOf(problem.request_id);
    assert.deepEqual(
      lines.map((line) => line.kind),
      [kind],
      'exactly one log line, with the kind',
    );
  });
}

test('by default nothing on this machine is asked, however its address is written', async (t) => {
  const strict = await startGatewayFor(t, { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t) });
  await strict.ready();
  const before = origin.hits.length;
  for (const host of [
    '127.0.0.1',
    'localhost',
    'LOCALHOST.',
    '2130706433',
    '0x7f.1',
    '0',
    '[::1]',
    '[::ffff:7f00:1]',
  ]) {
    const response = await predict(strict, { url: `http://${host}:${origin.port}/good.jpg` });
    const { kind } = (await response.json()) as { kind: string };
    assert.deepEqual([host, response.status, kind], [host, 403, 'source_forbidden']);
  }
  assert.equal(origin.hits.length, before);
});

test('a refused address, a closed port and a dead name read the same', async () => {
  const urls = ['http://10.0.0.1/a.jpg', 'http://127.0.0.1:80/a.jpg', 'http://no-such-host.invalid/a.jpg'];
  const details = await Promise.all(
    urls.map(async (text) => ((await (await predict(gateway, { url: text })).json()) as { detail: string }).detail),
  );
  assert.equal(new Set(details).size, 1, details.join('\n'));
});

test('after all of that the gateway predicts, and its memory is where it was', async () => {
  const rss = async () => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]);
  };
  const quick = CASES.filter(([what]) => what !== 'a slow drip');
  const round = async () => {
    for (const [, ask] of quick) await (await ask()).arrayBuffer();
  };
  for (let index = 0; index < 2; index += 1) await round();
  const beforeBytes = await rss();
  for (let index = 0; index < 5; index += 1) await round();
  const grownMb = ((await rss()) - beforeBytes) / 1e6;
  assert.ok(grownMb < 20, `grew by ${grownMb} MB`);
  assert.equal((await predict(gateway, { url: `${origin.url}/good.jpg` })).status, 200);
});

test('kinds are counted', async () => {
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  for (const [, , status, kind] of CASES) {
    assert.match(
      metrics,
      new RegExp(`^tensorgate_requests_total\\{route="[^"]+",status="${status}",kind="${kind}"\\} \\d+$`, 'm'),
    );
  }
});
