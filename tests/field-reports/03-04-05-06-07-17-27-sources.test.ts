/** Image sources as they are on the internet. One gateway fetches from one server, which sends the files of the reports. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { predict, predictImage, type RunningGateway, startGateway } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const folder = (name: string) => new URL(`${name}/`, import.meta.url);
const image = (await readFile(new URL('27-status-203/203.response', import.meta.url))).subarray(-1340);
const OK = 'HTTP/1.1 200 OK\r\n';
const respond = (head: string, body: Buffer = image) => Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
const withLength = (head: string, body: Buffer = image) => respond(`${head}Content-Length: ${body.length}\r\n`, body);
const redirect = (to: string) =>
  respond(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n`, Buffer.alloc(0));
const utf8 = (text: string) => Buffer.from(text).toString('latin1');

/** What the server sends, by path. */
const pages = new Map<string, Buffer>([
  ['/image', withLength(OK)],
  ['/caf%C3%A9/gr%C3%B6%C3%9Fe.jpg', withLength(OK)],
  ['/%D1%84%D0%BE%D1%82%D0%BE.jpg', withLength(OK)],
  ['/%C3%A9.jpg', withLength(OK)],
  ['/%E9.jpg', withLength(OK)],
  ['/to-latin-1', redirect('/\xe9.jpg')],
  ['/to-query', redirect(utf8('/%C3%A9.jpg?größe=1 2'))],
  ['/%C3%A9.jpg?gr%C3%B6%C3%9Fe=1%202', withLength(OK)],
  ['/to-inside', redirect(utf8('http://①②⑦.⓪.⓪.②/'))],
  ...Array.from({ length: 12 }, (_, hop) => [`/hop${hop}`, redirect(hop === 0 ? '/image' : `/hop${hop - 1}`)] as const),
  ['/gzip-of-a-bomb', withLength(`${OK}Content-Encoding: gzip\r\n`, gzipSync(Buffer.alloc(2_000_000)))],
  ['/gzip-without-checksum', withLength(`${OK}Content-Encoding: gzip\r\n`, gzipSync(image).subarray(0, -8))],
  ['/deflate-without-checksum', withLength(`${OK}Content-Encoding: deflate\r\n`, deflateSync(image).subarray(0, -4))],
  ['/chunks-of-lf', respond(`${OK}Transfer-Encoding: chunked\r\n`, Buffer.from('5\nabcde\n0\n\n'))],
  ['/no-chunks', respond(`${OK}Transfer-Encoding: chunked\r\n`)],
  ['/ssh', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
  ['/two-lengths', respond(`${OK}Content-Length: 1340\r\nContent-Length: 1341\r\n`)],
  ['/length-and-chunks', respond(`${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, Buffer.from('0\r\n\r\n'))],
]);

let server: Server;
let model: ModelServer;
let gateway: RunningGateway;
let origin: string;

before(async (t) => {
  for (const name of [
    '03-content-encoding-bogus',
    '04-content-encoding-gzip',
    '05-redirect-location-utf8',
    '07-response-heads-of-old-servers',
    '27-status-203',
  ]) {
    for (const file of await readdir(folder(name)))
      pages.set(`/${name}/${file}`, await readFile(new URL(file, folder(name))));
  }
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) =>
      socket.end(pages.get(request.toString('latin1').split(' ')[1] ?? '') ?? withLength('HTTP/1.1 404 No\r\n')),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  model = await startClothingModel();
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    FETCH_ALLOW: '127.0.0.1',
    FETCH_PORTS: String(port),
    FETCH_USER_AGENT: 'photos of example.com (me@example.com)',
    MAX_IMAGE_BYTES: '1MB',
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  server.close();
  assert.equal(code, 0);
});

const lastTensor = () => Object.values(model.calls.at(-1)?.inputs ?? {})[0]?.tensor_content;

/** Asserts that the URL gets the tensor of the uploaded picture. */
async function assertRead(url: string): Promise<void> {
  assert.equal((await predictImage(gateway, image)).status, 200);
  const expected = lastTensor();
  const calls = model.calls.length;
  const response = await predict(gateway, { url });
  assert.equal(response.status, 200, await response.text());
  assert.equal(model.calls.length, calls + 1);
  assert.deepEqual(lastTensor(), expected);
}

async function assertRefused(path: string, status: number, kind: string, detail: RegExp): Promise<void> {
  const response = await predict(gateway, { url: origin + path });
  const problem = (await response.json()) as { kind: string; detail: string };
  assert.deepEqual([response.status, problem.kind], [status, kind], path);
  assert.match(problem.detail, detail);
}

for (const [entry, name] of [
  ['C14 (03)', '03-content-encoding-bogus'],
  ['C14 (04)', '04-content-encoding-gzip'],
  ['C15 (05)', '05-redirect-location-utf8'],
  ['C15 (07)', '07-response-heads-of-old-servers'],
  ['C17 (27)', '27-status-203'],
] as const) {
  for (const file of await readdir(folder(name))) {
    test(`${entry}: ${file} is read`, () => assertRead(`${origin}/${name}/${file}`));
  }
}

test('C14 (04): a picture that is too large after decoding is refused', () =>
  assertRefused('/gzip-of-a-bomb', 422, 'source_too_large', /larger than 1000000 bytes/));

test('C14 (04): a body without the checksum at its end is read, as by curl', async () => {
  await assertRead(`${origin}/gzip-without-checksum`);
  await assertRead(`${origin}/deflate-without-checksum`);
});

test('C15 (05): a Location in Latin-1 and one with a raw query are followed, byte for byte', async () => {
  await assertRead(`${origin}/to-latin-1`);
  await assertRead(`${origin}/to-query`);
});

test('C15 (05): a raw Location is judged by the address that it means', () =>
  assertRefused('/to-inside', 403, 'source_forbidden', /public http or https address/));

test('C15 (06): ten redirects are followed, the eleventh is not', async () => {
  await assertRead(`${origin}/hop3`);
  await assertRead(`${origin}/hop9`);
  await assertRefused('/hop10', 502, 'source_failed', /redirects more than 10 times/);
});

test('C15 (07): what is not HTTP is refused with a text that says so', async () => {
  for (const path of ['/ssh', '/two-lengths', '/length-and-chunks']) {
    await assertRefused(path, 502, 'source_failed', /^url: the source's answer is not valid HTTP$/);
  }
  for (const path of ['/chunks-of-lf', '/no-chunks']) {
    await assertRefused(
      path,
      502,
      'source_failed',
      /^url: the source's answer is cut off or its body is not valid HTTP$/,
    );
  }
});

test('C17 (17): white space around a URL is dropped', async () => {
  for (const [before, after] of [
    ['', '\n'],
    [' ', '\r\n'],
    ['\ufeff\t', '\u00a0'],
  ]) {
    await assertRead(`${before}${origin}/image${after}`);
  }
  for (const inside of ['\n', '\t', '\u0000']) {
    const response = await predict(gateway, { url: `${origin}/im${inside}age` });
    const { kind, detail } = (await response.json()) as { kind: string; detail: string };
    assert.deepEqual([response.status, kind], [400, 'invalid_url']);
    assert.match(detail, /line break, tab or other control character; leave it out$/);
  }
});
