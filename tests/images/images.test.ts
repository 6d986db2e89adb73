/** Hostile and damaged images: section C of the attack table, through a running gateway. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { type RunningGateway, type Service, startGateway, startGatewayFor } from '../gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from '../model-server.ts';
import { CLASSES, modelsFolder } from '../models.ts';
import { animatedGif, animatedWebp, apng, overflowingWebp, pngChunk, pngHeader, withChunks } from './made.ts';

const IMAGES = new URL('../golden/images/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, IMAGES));
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const photo = read('jpg-420.jpg');
const drawn = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 40, b: 90 } } });

let model: ModelServer;
let gateway: RunningGateway;

before(async (t) => {
  model = await startModelServer({
    ...XCEPTION,
    onPredict: ({ inputs }) => ({
      dense_7: floatTensor(
        [inputs.input_8?.shape[0] ?? 0, 10],
        CLASSES.map((_, i) => i),
      ),
    }),
  });
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    MAX_IMAGE_BYTES: '16MB',
    DECODERS: '2',
    DECODE_TIMEOUT: '3s',
  });
  await gateway.ready();
});

after(async () => {
  try {
    assert.equal(await gateway?.stop(), 0);
  } finally {
    model?.close();
  }
});

/** After each test the gateway and its decoders still answer a good image. */
afterEach(async () => assert.equal((await ask(photo)).came, '200'));

type Came = { readonly came: string; readonly ms: number; readonly tensor: string | undefined };

/**
 * Sends an image as the body. Resolves to the status and kind, the time, and the SHA-256 of the tensor sent to the
 * model.
 */
async function ask(bytes: Uint8Array, to: Service = gateway): Promise<Came> {
  const calls = model.calls.length;
  const startedMs = performance.now();
  const body = new Uint8Array(bytes);
  const response = await fetch(`${to.url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/*' },
    body,
  });
  const { kind } = (await response.json()) as { kind?: string };
  const content = model.calls.length > calls ? model.calls.at(-1)?.inputs.input_8?.tensor_content : undefined;
  return {
    came: kind ? `${response.status} ${kind}` : `${response.status}`,
    ms: performance.now() - startedMs,
    tensor: content && createHash('sha256').update(content).digest('hex'),
  };
}

/** Asserts that every row gets the wanted answer. Prints the answers by count. Resolves to the longest time in ms. */
async function askEach(t: TestContext, rows: readonly [what: string, bytes: Uint8Array][], wanted: RegExp) {
  const seen = new Map<string, number>();
  let slowestMs = 0;
  for (const [what, bytes] of rows) {
    const { came, ms } = await ask(bytes);
    assert.match(came, wanted, what);
    seen.set(came, (seen.get(came) ?? 0) + 1);
    slowestMs = Math.max(slowestMs, ms);
  }
  const counts = [...seen].map(([came, count]) => `${count} x ${came}`).join(', ');
  t.diagnostic(`came: ${counts}; slowest ${slowestMs.toFixed(0)} ms`);
  return slowestMs;
}

/** Asserts that every row gives the tensor of the plain image, within 3 s. */
async function sameAs(t: TestContext, plain: Uint8Array, rows: readonly [what: string, bytes: Uint8Array][]) {
  const { came, tensor, ms } = await ask(plain);
  assert.equal(came, '200');
  for (const [what, bytes] of rows) {
    const other = await ask(bytes);
    assert.deepEqual([other.came, other.tensor], ['200', tensor], what);
    t.diagnostic(`came: ${what}: the same tensor in ${other.ms.toFixed(0)} ms, plain in ${ms.toFixed(0)} ms`);
    assert.ok(other.ms < 3000, what);
  }
}

for (const name of ['jpg-420.jpg', 'png-rgb8.png', 'webp-lossy.webp']) {
  test(`C1: ${name} cut at every percent: 422, and a part is never taken for the whole image`, async (t) => {
    const bytes = read(name);
    const whole = (await ask(bytes)).tensor;
    const counts = new Map<string, number>();
    for (let percent = 0; percent < 100; percent += 1) {
      const { came, tensor } = await ask(bytes.subarray(0, Math.floor((bytes.length * percent) / 100)));
      counts.set(came, (counts.get(came) ?? 0) + 1);
      if (came === '200') assert.equal(tensor, whole, `${percent} %`);
      else assert.match(came, percent === 0 ? /^4\d\d / : /^422 image_unreadable$/, `${percent} %`);
    }
    t.diagnostic(`came: ${[...counts].map(([came, count]) => `${count} x ${came}`).join(', ')}`);
  });
}

test('C2: WebPs as in CVE-2023-4863, and a BMP with 40 bits per pixel: 422', async (t) => {
  const webps = Array.from({ length: 60 }, (_, short): [string, Buffer] => [
    `${short} short codes`,
    overflowingWebp(short * 4),
  ]);
  await askEach(t, webps, /^422 image_unreadable$/);
  const bmp = read('bmp-24.bmp');
  bmp.writeUInt16LE(40, 28);
  await askEach(t, [['BMP', bmp]], /^422 image_unsupported$/);
});

test('C2: a hundred small images with random changes: 200 or 422, and no decoder is lost', async (t) => {
  const small = readdirSync(IMAGES)
    .filter((name) => /\.(jpg|png|webp|gif|avif)$/.test(name) && !name.startsWith('bomb'))
    .map((name): [string, Buffer] => [name, read(name)])
    .filter(([, bytes]) => bytes.length > 64 && bytes.length < 30_000)
    .slice(0, 100);
  const rows = small.flatMap(([name, bytes]) =>
    [1, 2, 3, 4].map((seed): [string, Buffer] => [`${name}, seed ${seed}`, mutated(bytes, seed)]),
  );
  await askEach(t, rows, /^(?:200|422 image_(?:unreadable|unsupported|too_large))$/);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.doesNotMatch(metrics, /tensorgate_decoder_losses_total\{/);
});

/** Changes 4 bytes per seed after the magic bytes, the same ones for a seed (a linear congruential generator). */
function mutated(bytes: Buffer, seed: number): Buffer {
  const copy = Buffer.from(bytes);
  let state = seed * 7919 + bytes.length;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let change = 0; change < seed * 4; change += 1) copy[8 + next(copy.length - 8)] = next(256);
  return copy;
}

test('C3: formats that are not offered are refused by name, and an SVG causes no request', async (t) => {
  let hits = 0;
  const listener = createServer((_request, response) => {
    hits += 1;
    response.end();
  }).listen(0, '127.0.0.1');
  t.after(() => listener.close());
  await once(listener, 'listening');
  const inside = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
  const svg = (body: string, before = '') =>
    latin1(`<?xml version="1.0"?>${before}<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${body}</svg>`);
  const rows: [string, Buffer][] = [
    ['SVG with a script', svg(`<script>fetch("${inside}")</script>`)],
    ['SVG with an external image', svg(`<image href="${inside}" width="9" height="9"/>`)],
    ['SVG with XXE', svg('<text>&x;</text>', `<!DOCTYPE svg [<!ENTITY x SYSTEM "${inside}">]>`)],
    ['SVG with a file', svg('<image href="file:///etc/passwd" width="9" height="9"/>')],
    ['PDF', read('junk-pdf.pdf')],
    ['TIFF', read('tif-rgb-lzw.tif')],
    ['TIFF with several pages', read('tif-pages.tif')],
    ['JPEG 2000', read('jp2-lossless.jp2')],
    ['ICO', read('ico-32.ico')],
    ['HEIF', latin1('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
    ['PSD', latin1('8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x10\0\0\0\x10\0\x08\0\x03')],
    ['MP4', latin1('\0\0\0\x18ftypisom\0\0\0\0isommp42')],
    ['WebM', latin1('\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f')],
    ['AVI', latin1('RIFF\0\0\0\0AVI LIST')],
  ];
  await askEach(t, rows, /^422 image_unsupported$/);
  assert.equal(hits, 0);
});

test('C4: bytes after an image are ignored; the magic bytes of one format before another: 422', async (t) => {
  const html = latin1('<html><script>alert(1)</script></html>');
  await sameAs(t, photo, [
    ['JPEG and HTML', Buffer.concat([photo, html])],
    ['JPEG and ZIP', Buffer.concat([photo, read('junk-zip.zip')])],
  ]);
  const rows: [string, Buffer][] = [
    ['HTML and JPEG', Buffer.concat([html, photo])],
    ['ZIP and JPEG', Buffer.concat([read('junk-zip.zip'), photo])],
    ['PNG magic before a JPEG', Buffer.concat([latin1('\x89PNG\r\n\x1a\n'), photo])],
    ['JPEG magic before HTML', Buffer.concat([latin1('\xff\xd8\xff'), html])],
    ['a GIF that is JavaScript', latin1('GIF89a/*\0\0\0*/=1;alert(1)')],
    ['WebP magic before a PNG', Buffer.concat([latin1('RIFF\xff\0\0\0WEBP'), read('png-rgb8.png')])],
  ];
  await askEach(t, rows, /^422 image_unreadable$/);
});

test('C5: a huge size in the header: 422 image_too_large within a second and 20 MB', async (t) => {
  const webp = read('bomb-webp-16384-declared.webp');
  const rows: [string, Buffer][] = [
    ['PNG of 65,535 x 65,535', pngHeader(65_535, 65_535)],
    ['JPEG of 65,500 x 65,500', read('bomb-jpg-65500x65500-declared.jpg')],
    ['WebP of 16,384 x 16,384', webp],
    ['GIF of 65,535 x 65,535', read('bomb-gif-65535-canvas.gif')],
  ];
  await askEach(t, rows, /^422 image_too_large$/);
  const beforeBytes = residentBytes();
  const slowestMs = await askEach(t, rows, /^422 image_too_large$/);
  t.diagnostic(`came: ${((residentBytes() - beforeBytes) / 1e6).toFixed(1)} MB more`);
  assert.ok(slowestMs < 1000 && residentBytes() - beforeBytes < 20e6);
});

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

test('C6: a million chunks, compression bombs and megabytes of metadata: 422 or the same tensor, within 5 s', async (t) => {
  const png = await drawn(90, 60).png().toBuffer();
  const jpeg = await drawn(90, 60).jpeg().toBuffer();
  const bomb = deflateSync(Buffer.alloc(200e6));
  const segment = (length: number, text: string) => {
    const head = Buffer.from([0xff, 0xe1, (length + 2) >> 8, (length + 2) & 255]);
    return Buffer.concat([head, Buffer.alloc(length, text)]);
  };
  const withSegments = (...segments: Buffer[]) => Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
  const rows: [string, Buffer, Buffer][] = [
    ['a PNG with a million chunks', withChunks(png, Array<Buffer>(1e6).fill(pngChunk('teXt', latin1('')))), png],
    ['a zTXt of 200 MB', withChunks(png, [pngChunk('zTXt', Buffer.concat([latin1('a\0\0'), bomb]))]), png],
    ['an iCCP of 200 MB', withChunks(png, [pngChunk('iCCP', Buffer.concat([latin1('a\0\0'), bomb]))]), png],
    ['64 KiB of nonsense as EXIF', withSegments(segment(65_533, 'Exif\0\0II*\0\xff\xff\xff')), jpeg],
    [
      '8 MB of XMP',
      withSegments(...Array<Buffer>(128).fill(segment(65_533, 'http://ns.adobe.com/xap/1.0/\0<x>'))),
      jpeg,
    ],
  ];
  for (const [what, bytes, plain] of rows) {
    const { came, ms, tensor } = await ask(bytes);
    t.diagnostic(`came: ${what}: ${came} in ${ms.toFixed(0)} ms`);
    assert.match(came, /^(?:200|422 image_unreadable)$/, what);
    if (came === '200') assert.equal(tensor, (await ask(plain)).tensor, what);
    assert.ok(ms < 5000, what);
  }
});

test('C7: animations with 5,000 and more frames give the first frame, within 3 s', async (t) => {
  const size = [64, 48] as const;
  const gif = await drawn(...size)
    .gif()
    .toBuffer();
  const png = await drawn(...size)
    .png({ palette: false })
    .toBuffer();
  const webp = await drawn(...size)
    .webp({ lossless: true })
    .toBuffer();
  await sameAs(t, png, [['5,000 frames of APNG', apng(png, 5000)]]);
  await sameAs(t, webp, [['60,000 frames of WebP', animatedWebp(webp, size, 60_000)]]);
  await sameAs(t, gif, [['5,000 frames of GIF', animatedGif(gif, 5000)]]);
});

/**
 * An AVIF of 1 kB with the largest allowed size decodes for over a second, and sharp's own timeout does not stop it.
 */
test('C17: an image that decodes longer than DECODE_TIMEOUT: 422 at that time, and others are answered meanwhile', async (t) => {
  const strict = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    DECODERS: '2',
    DECODE_TIMEOUT: '400ms',
  });
  await strict.ready();
  const slow = await drawn(5000, 5000).avif({ effort: 0 }).toBuffer();
  // Four in a row: if the machine stalls for a moment, a single one leaves too little time for the others.
  const crafted = Array.fromAsync({ length: 4 }, () => ask(slow, strict));
  let others = 0;
  for (let isOver = false; !isOver; others += 1) {
    assert.equal((await ask(photo, strict)).came, '200');
    isOver = await Promise.race([crafted.then(() => true), setImmediate(false)]);
  }
  for (const { came, ms } of await crafted) {
    t.diagnostic(`came: ${came} after ${ms.toFixed(0)} ms; ${others} photos answered meanwhile`);
    assert.equal(came, '422 image_unreadable');
  }
  assert.ok(others > 5, `${others} photos`);
});

test('F8: a decoder that crashes under load: at most one request gets 500, the others are answered', async (t) => {
  const children = readFileSync(`/proc/${gateway.process.pid}/task/${gateway.process.pid}/children`, 'utf8');
  const [pid] = children.split(' ').map(Number);
  const large = await drawn(3000, 3000).png({ progressive: true }).toBuffer();
  const asked = Array.from({ length: 12 }, (_, index) => ask(index % 3 === 0 ? large : photo));
  setTimeout(() => process.kill(pid ?? 0, 'SIGSEGV'), 100);
  const came = (await Promise.all(asked)).map((each) => each.came);
  const lost = came.filter((each) => each !== '200');
  t.diagnostic(`came: ${came.length - lost.length} x 200${lost.map((each) => `, ${each}`).join('')}`);
  assert.ok(lost.length <= 1 && lost.every((each) => each === '500 internal'));
  assert.equal(gateway.process.exitCode, null);
  const ended = gateway.log.find((line) => line.pid === pid);
  assert.match(String(ended?.how), /^SIGSEGV/);
});

test('C8: 1 x 1, 2 x 2, 1 x 10,000 and similar sizes: 200', async (t) => {
  const sizes = [
    [1, 1],
    [2, 2],
    [1, 10_000],
    [10_000, 1],
    [299, 299],
    [300, 298],
    [3000, 1],
  ] as const;
  const rows: [string, Buffer][] = [];
  for (const [width, height] of sizes) rows.push([`${width} x ${height}`, await drawn(width, height).png().toBuffer()]);
  await askEach(t, rows, /^200$/);
});

test('C13: a 12-bit JPEG: 422; an arithmetic-coded JPEG is passed to the decoder, which supports them', async (t) => {
  const deep = Buffer.from(photo);
  const frameAt = deep.indexOf('ffc0', 'hex');
  deep.writeUInt8(12, frameAt + 4);
  const arithmetic = Buffer.from(photo);
  arithmetic.writeUInt8(0xc9, frameAt + 1);
  await askEach(t, [['12 bits', deep]], /^422 image_unsupported$/);
  await askEach(t, [['arithmetic', arithmetic]], /^(?:200|422 image_unreadable)$/);
});

test('C19: a ZIP of images and a multi-page TIFF: 422; an MPO gives its first image', async (t) => {
  await askEach(t, [['ZIP', read('junk-zip.zip')]], /^422 image_unreadable$/);
  await askEach(t, [['TIFF', read('tif-pages.tif')]], /^422 image_unsupported$/);
  await askEach(t, [['MPO', read('jpg-mpo.jpg')]], /^200$/);
});
