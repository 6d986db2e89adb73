/** Requests as tools write them: the same photo in many forms gives the same scores, or a refusal that says what to do. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, type TestContext, test } from 'node:test';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { CLASSES, modelsFolder } from '../models.ts';

const input = (file: string) => readFile(new URL(file, import.meta.url));
const photo = await input('16-part-without-filename/photo.jpg');
const b64 = photo.toString('base64');
const MICROSECONDS = 1_700_000_000_123_456;

let model: ModelServer;
let gateway: RunningGateway;
/** The scores of the photo, uploaded as image/jpeg. */
let expected: unknown;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    served: {
      versions: new Map([0, 7, MICROSECONDS, Number.MAX_SAFE_INTEGER].map((version) => [version, XCEPTION])),
      labels: new Map(),
    },
    // The scores are the first values of the tensor, so they are equal for equal pixels only.
    onPredict: ({ inputs }) => {
      const { tensor_content: content, shape } = inputs.input_8 ?? assert.fail('no input_8');
      const rows = shape[0] ?? 0;
      const rowBytes = content.length / rows;
      const scores = Array.from({ length: rows * CLASSES.length }, (_, at) =>
        content.readFloatLE(Math.floor(at / CLASSES.length) * rowBytes + (at % CLASSES.length) * 4),
      );
      return { dense_7: floatTensor([rows, CLASSES.length], scores) };
    },
  });
  gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t as TestContext) });
  await gateway.ready();
  expected = await (await post('image/jpeg', photo)).json();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  assert.equal(code, 0);
});

/** POSTs a body. `type`: the Content-Type; without one, none is sent. */
function post(type: string | undefined, body: Buffer | string, query = ''): Promise<Response> {
  // fetch() adds a type to text, but none to bytes.
  const bytes = new Uint8Array(Buffer.from(body));
  return fetch(`${gateway.url}/predict${query}`, {
    method: 'POST',
    headers: type === undefined ? {} : { 'Content-Type': type },
    body: bytes,
  });
}

/** A form of parts with these header lines and contents. */
function form(...parts: readonly (readonly [header: string, content: Buffer | string])[]): Buffer {
  const pieces = parts.map(([header, content]) =>
    Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; ${header}\r\n\r\n`),
      Buffer.from(content),
      CRLF,
    ]),
  );
  return Buffer.concat([...pieces, Buffer.from('--b--\r\n')]);
}
const CRLF = Buffer.from('\r\n');
const FORM = 'multipart/form-data; boundary=b';
const FILE = ['name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg', photo] as const;

async function assertScored(response: Response, what: string): Promise<void> {
  const answer = await response.json();
  assert.deepEqual([response.status, answer], [200, expected], what);
}

async function assertRefused(response: Response, kind: string, detail: RegExp): Promise<void> {
  const problem = (await response.json()) as { kind: string; detail: string };
  assert.equal(problem.kind, kind, problem.detail);
  assert.match(problem.detail, detail);
}

test('E21 (13): any label of UTF-8, ASCII and any JSON type are read; other charsets are refused', async () => {
  const body = await input('13-json-charset-utf8/body.json');
  for (const parameter of ['charset=utf8', 'charset=UTF8', 'charset="utf-8"', 'charset=us-ascii', 'charset=ascii']) {
    await assertScored(await post(`application/json; ${parameter}`, body), parameter);
  }
  for (const type of [
    'text/json',
    'application/vnd.api+json',
    'application/json ;charset=utf8',
    'application/json; note="a;charset=latin1"; charset=utf-8',
    'application/json; nocharset=latin1',
    'application/json; charset=',
  ]) {
    await assertScored(await post(type, body), type);
  }
  for (const charset of ['latin1', 'windows-1252', 'utf-16le', 'no-charset']) {
    await assertRefused(await post(`application/json; charset=${charset}`, body), 'unsupported_media', /charset=utf-8/);
  }
});

test('E21 (23): a byte order mark is refused by its name', async () => {
  const body = await input('23-json-with-bom/body.json');
  await assertRefused(await post('application/json', body), 'invalid_json', /begins with a byte order mark .*leave it/);
});

test('E21 (13): a Content-Encoding that changes nothing is read, and one that is not offered is refused', async () => {
  const send = (encoding: string) =>
    fetch(`${gateway.url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/jpeg', 'Content-Encoding': encoding },
      body: photo,
    });
  for (const encoding of ['', 'identity', 'Identity, identity,']) await assertScored(await send(encoding), encoding);
  for (const encoding of ['gzip, gzip', 'utf-8', 'identity, br']) {
    await assertRefused(await send(encoding), 'unsupported_media', /uncompressed, without this header/);
  }
});

test('E21 (15): a field that is null is as if it were absent', async () => {
  await assertScored(await post('application/json', await input('15-json-null-beside/null-url.json')), 'url: null');
  const bodies = [
    { b64, url: null, instances: null },
    { url: null, b64 },
  ];
  for (const body of bodies) await assertScored(await post('application/json', JSON.stringify(body)), 'null');
  const batch = { url: null, b64: null, instances: [{ b64, url: null }] };
  const answer = await post('application/json', JSON.stringify(batch));
  assert.deepEqual(await answer.json(), { predictions: [expected] });
  const none = await post('application/json', JSON.stringify({ url: null, b64: null }));
  await assertRefused(none, 'invalid_request', /exactly one of url and b64/);
});

test('E21 (14): base64 with line breaks, in the URL alphabet, and in a data: URL is read', async () => {
  const folder = new URL('14-b64-as-tools-write-it/', import.meta.url);
  for (const file of await readdir(folder)) {
    await assertScored(await post('application/json', await readFile(new URL(file, folder))), file);
  }
  for (const text of [
    b64.replace(/.{64}/g, '$&\r\n'),
    ` \t${b64}\r\n`,
    photo.toString('base64url').replace(/.{76}/g, '$&\n'),
    b64.replace(/=+$/, ''),
    `data:;base64,${b64}`,
    `DATA:image/png;charset=utf-8;Base64,${encodeURIComponent(b64)}`,
  ]) {
    await assertScored(await post('application/json', JSON.stringify({ b64: text })), text.slice(0, 40));
  }
  for (const text of [`${b64}*`, `data:image/jpeg;base64,${b64}!`, b64.replace('A', 'é')]) {
    await assertRefused(await post('application/json', JSON.stringify({ b64: text })), 'invalid_request', /^b64: /);
  }
});

test('B19: data: URLs in url: base64 and percent-encoded ones are scored, others are refused', async (t) => {
  const percent = [...photo].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  for (const url of [
    `data:image/jpeg;base64,${b64}`,
    ` data:image/jpeg;base64,${b64}\n`,
    `data:image/jpeg,${percent}`,
  ]) {
    await assertScored(await post('application/json', JSON.stringify({ url })), url.slice(0, 40));
  }
  const came: number[] = [];
  for (const [url, kind, detail] of [
    ['data:image/jpeg;base64,A', 'invalid_request', /^url: is not base64/],
    [`data:image/jpeg;base64${b64}`, 'invalid_request', /^url: .* comma/],
    ['data:text/html,<b>hello</b>', 'image_unreadable', /^url is not an image/],
    [`data:image/jpeg;base64,${Buffer.alloc(20_971_521).toString('base64')}`, 'body_too_large', /MAX_/],
  ] as const) {
    const response = await post('application/json', JSON.stringify({ url }));
    came.push(response.status);
    await assertRefused(response, kind, detail);
  }
  t.diagnostic(`came: 200 200 200 ${came.join(' ')}`);
});

test('E21 (16): a part named file is an image, with or without a filename', async () => {
  for (const file of ['no-filename.multipart', 'empty-filename.multipart']) {
    const body = await input(`16-part-without-filename/${file}`);
    await assertScored(await post('multipart/form-data; boundary=XX', body), file);
  }
  const bare = form(['name="file"', photo]);
  await assertScored(await post(FORM, bare), 'without a filename and a type');
  const two = await post(FORM, form(FILE, ['name="file"\r\nContent-Type: image/jpeg', photo]));
  assert.deepEqual(await two.json(), { predictions: [expected, expected] });
  const many = form(...Array.from({ length: 65 }, () => ['name="file"', 'x'] as const));
  await assertRefused(await post(FORM, many), 'body_too_large', /at most 64/);
});

test('E21 (24): an image of no known type is read; text of no known type is refused', async () => {
  const untyped = ['application/octet-stream', 'binary/octet-stream', 'application/x-www-form-urlencoded', undefined];
  for (const type of untyped) {
    await assertScored(await post(type, photo), String(type));
    await assertRefused(await post(type, JSON.stringify({ b64 })), 'unsupported_media', /send application\/json/);
    await assertRefused(await post(type, ''), 'unsupported_media', /send application\/json/);
  }
  await assertRefused(await post('text/plain', photo), 'unsupported_media', /text\/plain; send/);
});

test('E21 (21): versions from 0 to 2^53 - 1 can be asked for; others are refused with the range', async () => {
  for (const version of [0, MICROSECONDS, Number.MAX_SAFE_INTEGER]) {
    await assertScored(await post('image/jpeg', photo, `?version=${version}`), String(version));
    assert.equal(model.calls.at(-1)?.spec.version?.value, String(version));
  }
  for (const version of ['9007199254740992', '1700000000123456789', '-1', '1.5', '01', 'latest']) {
    const response = await post('image/jpeg', photo, `?version=${version}`);
    await assertRefused(response, 'invalid_request', /^query version: a whole number from 0 to 2\^53 - 1/);
  }
});

test('E22: text fields of a form are parameters; unknown and repeated ones are refused', async () => {
  const best = await post(FORM, form(FILE, ['name="top"', '1'], ['name="scores"', 'probabilities']));
  assert.deepEqual(Object.keys((await best.json()) as object).length, 1);
  const version = await post(FORM, form(['name="version"', '7'], FILE, ['name="model"', 'clothing-model']));
  await assertScored(version, 'version');
  assert.equal(model.calls.at(-1)?.spec.version?.value, '7');
  const other = await post(FORM, form(['name="model"', 'churn'], FILE));
  await assertRefused(other, 'invalid_request', /^model: churn takes records as JSON/);
  for (const [fields, query, detail] of [
    [[['name="modle"', 'x']], '', /^modle: not a field here; .*top, scores/],
    [[['name="url"', 'https://a.example/']], '', /^url: not a field here/],
    [[['name="top"', '0']], '', /^top: a whole number above zero/],
    [
      [
        ['name="top"', '1'],
        ['name="top"', '2'],
      ],
      '',
      /^top: give it once/,
    ],
    [[['name="top"', '1']], '?top=1', /^top: give it in the query or in the form/],
    [[['name="label"', 'stable']], '?version=1', /^label: give either a version or a label/],
    [
      [
        ['name="scores"', 'raw'],
        ['name="scores"', 'raw'],
      ],
      '',
      /^scores: give it once/,
    ],
    [[['name="model"', 'x'.repeat(2000)]], '', /^model: is too long/],
    [[['name="photo"\r\nContent-Type: image/jpeg', photo]], '', /^photo: .*send the images as parts named file/],
    [[[`name="${'p'.repeat(500)}"; filename="a"`, photo]], '', /^p{80}: send the images as parts named file/],
    [[['note=x', 'x']], '', /^a part without a name: send the images as parts named file/],
  ] as const) {
    await assertRefused(await post(FORM, form(FILE, ...fields), query), 'invalid_request', detail);
  }
});
