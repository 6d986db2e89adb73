/** What the pages need of the gateway: their files and policy, examples, and the pixels that a model sees. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { glob, readFile, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { PICTURE } from '../committed-model.ts';
import { type RunningGateway, startGateway, startGatewayFor } from '../gateway.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const PARITY = new URL('../../serving/models/clothing-model/parity/', import.meta.url);
const ASSETS = new URL('../../gateway/page/assets/', import.meta.url);

type Problem = { readonly kind: string; readonly detail: string };

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway({ READY_WHEN: 'all' });
  await gateway.ready();
});
after(() => gateway.stop());

const seen = (body: Uint8Array, query: string) =>
  fetch(`${gateway.url}/predict/pixels?${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/*' },
    body: new Uint8Array(body),
  });

test('the pages have a policy of their own origin, and each is less than 100 kB with its files', async () => {
  for (const [path, policy] of [
    ['/', /^default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/],
    ['/docs', /^default-src 'self';.*img-src 'self' data:$/],
  ] as const) {
    const response = await fetch(`${gateway.url}${path}`);
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/html; charset=utf-8'], path);
    assert.match(response.headers.get('content-security-policy') ?? '', policy);
    const html = await response.text();
    assert.match(html, /<\/header>\s*<noscript>.*needs JavaScript.*openapi\.json/, path);
    const etag = response.headers.get('etag') ?? '';
    const again = await fetch(`${gateway.url}${path}`, {
      headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' },
    });
    assert.equal(again.status, 304, path);
  }
  const files = await Array.fromAsync(glob('*', { cwd: ASSETS }));
  const ofReference = files.filter((file) => /^(docs|viewer)/.test(file));
  const ofPlayground = files.filter((file) => !ofReference.includes(file));
  for (const own of [ofPlayground, ofReference]) {
    const sizes = await Promise.all(own.map(async (file) => (await stat(new URL(file, ASSETS))).size));
    assert.ok(sizes.length > 5);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 100_000);
  }
});

test('files go in gzip to clients that accept it, each encoding with a tag of its own', async () => {
  const url = `${gateway.url}/page/viewer/swagger-ui-bundle.js`;
  const [gzip, plain] = await Promise.all(
    ['gzip', 'identity'].map(async (encoding) => {
      const response = await fetch(url, { headers: { 'Accept-Encoding': encoding } });
      const [used, etag, length, vary] = ['content-encoding', 'etag', 'content-length', 'vary'].map((name) =>
        response.headers.get(name),
      );
      assert.equal(vary, 'Accept-Encoding');
      return { used, etag, length: Number(length), text: await response.text() };
    }),
  );
  assert.deepEqual([gzip?.used, plain?.used], ['gzip', null]);
  assert.ok((gzip?.length ?? 0) < (plain?.length ?? 0) / 2);
  assert.ok(plain?.text.length && gzip?.text === plain.text);
  assert.notEqual(gzip?.etag, plain.etag);
});

test('no file outside of the folder is served, and none without the right method', async () => {
  for (const path of [
    '/page/',
    '/page/none.js',
    '/page/%2e%2e/routes.ts',
    '/page/..%2froutes.ts',
    '/page/viewer/index.html',
  ]) {
    const response = await fetch(`${gateway.url}${path}`);
    assert.equal(response.status, 404, path);
    assert.equal(((await response.json()) as Problem).kind, 'not_found');
  }
  assert.equal((await fetch(`${gateway.url}/page/main.js`, { method: 'POST' })).status, 404);
});

test('PLAYGROUND=false: neither pages nor their files', async (t) => {
  const server = await startClothingModel();
  t.after(() => server.close());
  const settings = { TF_SERVING_HOST: server.target, MODELS: await modelsFolder(t), PLAYGROUND: 'false' };
  const { url } = await startGatewayFor(t, settings);
  for (const path of ['/', '/docs', '/page/main.js', '/page/viewer/swagger-ui.css']) {
    assert.equal((await fetch(`${url}${path}`)).status, 404, path);
  }
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  assert.deepEqual(['/' in paths, '/docs' in paths, '/predict/pixels' in paths], [false, false, true]);
});

test('the pixels that a model sees are those of the proof', async () => {
  const { samples } = JSON.parse(await readFile(new URL('tensors.json', PARITY), 'utf8')) as {
    samples: { file: string; pixels_sha256: string }[];
  };
  for (const { file, pixels_sha256 } of samples) {
    const response = await seen(await readFile(new URL(file, PARITY)), 'model=clothing-model');
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
    assert.match(response.headers.get('server-timing') ?? '', /^decode;dur=/);
    const png = sharp(Buffer.from(await response.arrayBuffer()));
    const { data, info } = await png.raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [299, 299, 3]);
    assert.equal(createHash('sha256').update(data).digest('hex'), pixels_sha256, file);
  }
});

test('pixels are refused in words', async () => {
  for (const [body, query, status, kind, detail] of [
    [Buffer.from('no picture at all'), '', 422, 'image_unreadable', /^body is not an image/],
    [PICTURE, 'model=credit', 415, 'unsupported_media', /^model: credit takes no pictures/],
    [PICTURE, 'model=none', 404, 'model_not_found', /^model: no such model/],
  ] as const) {
    const response = await seen(body, query);
    const problem = (await response.json()) as Problem;
    assert.deepEqual([response.status, problem.kind], [status, kind], problem.detail);
    assert.match(problem.detail, detail);
  }
});

test('examples: pictures of a model for photos, records and their fields of a table', async () => {
  const list = async (model: string) => (await fetch(`${gateway.url}/models/${model}/examples`)).json();
  const photos = (await list('clothing-model')) as { pictures: string[]; records: object[] };
  assert.deepEqual([photos.pictures.length, photos.records], [5, []]);
  const [name = ''] = photos.pictures;
  const picture = await fetch(`${gateway.url}/models/clothing-model/examples/${name}`);
  assert.deepEqual(Buffer.from(await picture.arrayBuffer()), await readFile(new URL(name, PARITY)));
  const credit = (await list('credit')) as { records: Record<string, unknown>[]; fields: Record<string, unknown>[] };
  assert.equal(credit.records.length, 3);
  const duration = credit.fields.find((field) => field.name === 'duration');
  assert.ok(Number(duration?.minimum) < Number(duration?.maximum));
  assert.equal(duration?.from, 'examples');
  const job = credit.fields.find((field) => field.name === 'job');
  assert.equal(job?.from, 'model.yaml');
  assert.ok([job?.choices].flat().includes(credit.records[0]?.job));
});

test('examples that are not there are refused by name, also paths out of the folder', async () => {
  for (const name of ['none.jpg', '..%2fmodel.yaml', 'tensors.json']) {
    const response = await fetch(`${gateway.url}/models/clothing-model/examples/${name}`);
    const { kind, detail } = (await response.json()) as Problem;
    assert.deepEqual([response.status, kind], [404, 'not_found'], name);
    assert.match(detail, /its pictures: .*tall-420\.jpg/);
  }
  assert.equal((await fetch(`${gateway.url}/models/none/examples`)).status, 404);
});
