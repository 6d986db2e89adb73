/** Group D of the acceptance table: unusual requests. Each is answered once and leaves no resources behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { runCli } from './cli.ts';
import { predict, type RunningGateway, startGateway } from './gateway.ts';
import { floatTensor, type ModelServer, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { until } from './until.ts';

const jpeg = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const b64 = jpeg.toString('base64');
const small = await readFile(new URL('golden/images/jpg-8x8.jpg', import.meta.url), 'base64');
/** Names that an object with a prototype would lose or change, and an integer key, which JavaScript orders first. */
const CLASSES = [
  '__proto__',
  'toString',
  'constructor',
  'hasOwnProperty',
  '7',
  'pants',
  'shirt',
  'shoes',
  'skirt',
  'hat',
];
const CARD = `name: clothing-model\nimage: {size: [299, 299], resize: nearest, scale: tf}\nclasses: ${JSON.stringify(CLASSES)}\n`;
const MAX_IMAGE_BYTES = 100_000;
const MAX_BODY_BYTES = 2_000_000;

let model: ModelServer;
let gateway: RunningGateway;
let scratch: string;

before(async (t) => {
  scratch = await mkdtemp(path.join(tmpdir(), 'uploads-'));
  model = await startModelServer({
    ...XCEPTION,
    onPredict({ inputs }) {
      const rows = inputs.input_8?.shape[0] ?? 0;
      return {
        dense_7: floatTensor(
          [rows, 10],
          Array.from({ length: rows * 10 }, (_, at) => at % 10),
        ),
      };
    },
  });
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext, { 'clothing-model': CARD }),
    MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES),
    MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    TMPDIR: scratch,
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await rm(scratch, { recursive: true });
  assert.equal(code, 0);
});

const post = (type: string, body: NonNullable<RequestInit['body']>) =>
  fetch(`${gateway.url}/predict`, { method: 'POST', headers: { 'Content-Type': type }, body });
const kindOf = async (response: Response) => ((await response.json()) as { kind: string }).kind;
const openFiles = async () => (await readdir(`/proc/${gateway.process.pid}/fd`)).length;

test('D2: unknown fields are ignored, and of duplicate fields the last is used', async () => {
  assert.equal((await predict(gateway, { b64, more: { deep: [1] }, top: 3 })).status, 200);
  assert.equal((await predict(gateway, `{"b64": "AAAA", "b64": "${b64}"}`)).status, 200);
  assert.equal((await predict(gateway, `{"b64": "${b64}", "b64": "AAAA"}`)).status, 422);
});

test('D3: 100,000 brackets are answered within 1 s, inside a field too', async (t) => {
  for (const body of [
    '['.repeat(100_000),
    `{"b64": ${'['.repeat(100_000)}`,
    `{"b64": ${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
  ]) {
    const startedMs = performance.now();
    assert.equal((await predict(gateway, body)).status, 400);
    const tookMs = performance.now() - startedMs;
    t.diagnostic(`came: 400 after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 1000);
  }
});

test('D4: __proto__ and constructor are ignored like other unknown fields', async () => {
  for (const key of ['__proto__', 'constructor']) {
    const body = `{"${key}": {"prototype": {"url": "http://a/"}, "url": "http://a/"}, "b64": "${b64}"}`;
    assert.equal((await predict(gateway, body)).status, 200);
    assert.equal((await predict(gateway, `{"${key}": {"b64": "${b64}"}}`)).status, 400);
  }
  assert.equal(await kindOf(await predict(gateway, {})), 'invalid_request', 'no field is inherited');
});

test('D4: classes named __proto__ and toString are returned, in the order of model.yaml', async () => {
  const text = await (await predict(gateway, { b64 })).text();
  assert.equal(text, `{${CLASSES.map((name, column) => `"${name}":${column}`).join(',')}}`);
  const best = await (await predict(gateway, { b64 }, '?top=1')).text();
  assert.equal(best, '{"hat":9}');
});

test('D5: a body at its limit is accepted, one byte more is 413', async () => {
  // Bytes after the end of a JPEG are ignored, as is white space after JSON.
  const image = (bytes: number) => Buffer.concat([jpeg, Buffer.alloc(bytes - jpeg.length)]);
  assert.equal((await post('image/jpeg', image(MAX_IMAGE_BYTES))).status, 200);
  assert.equal((await post('image/jpeg', image(MAX_IMAGE_BYTES + 1))).status, 413);
  const json = (bytes: number) => JSON.stringify({ b64 }).padEnd(bytes);
  assert.equal((await predict(gateway, json(MAX_BODY_BYTES))).status, 200);
  assert.equal((await predict(gateway, json(MAX_BODY_BYTES + 1))).status, 413);
});

test('B7: a picture over MAX_IMAGE_BYTES is 413 with its field, whatever way it came, and for it alone', async () => {
  const large = Buffer.concat([jpeg, Buffer.alloc(MAX_IMAGE_BYTES + 1 - jpeg.length)]);
  const tooLarge = (field: string) => [
    413,
    'body_too_large',
    `${field} is larger than 100000 bytes (MAX_IMAGE_BYTES).`,
  ];
  const refusalOf = async (response: Response) => {
    const { kind, detail } = (await response.json()) as { kind: string; detail: string };
    return [response.status, kind, detail];
  };
  const form = (...pictures: Buffer[]) => {
    const body = new FormData();
    for (const bytes of pictures) body.append('file', new Blob([new Uint8Array(bytes)]), 'a.jpg');
    return fetch(`${gateway.url}/predict`, { method: 'POST', body });
  };
  const json = (...pictures: Buffer[]) =>
    predict(gateway, { instances: pictures.map((bytes) => ({ b64: bytes.toString('base64') })) });

  assert.deepEqual(await refusalOf(await predict(gateway, { b64: large.toString('base64') })), tooLarge('b64'));
  assert.deepEqual(await refusalOf(await form(large)), tooLarge('file[0]'));
  for (const [batch, field] of [
    [await json(jpeg, large, jpeg), 'instances[1].b64'],
    [await form(jpeg, large, jpeg), 'file[1]'],
  ] as const) {
    const { predictions } = (await batch.json()) as {
      predictions: { hat?: number; error?: Record<string, unknown> }[];
    };
    assert.deepEqual([batch.status, predictions.map(({ hat }) => hat)], [200, [9, undefined, 9]]);
    const { status, kind, detail } = predictions[1]?.error ?? {};
    assert.deepEqual([status, kind, detail], tooLarge(field));
  }
  assert.equal(gateway.log.filter(({ msg }) => /decoder process ended/.test(String(msg))).length, 0);
});

/** POSTs a compressed body to /predict. */
function sendCompressed(encoding: string, body: Uint8Array<ArrayBuffer>, type: string): Promise<Response> {
  const headers = { 'Content-Type': type, 'Content-Encoding': encoding };
  return fetch(`${gateway.url}/predict`, { method: 'POST', headers, body });
}

test('compressed JSON, forms and pictures are read as if they were not', async () => {
  const form = new Response(
    (() => {
      const parts = new FormData();
      parts.append('file', new Blob([new Uint8Array(jpeg)]), 'a.jpg');
      return parts;
    })(),
  );
  const formType = form.headers.get('content-type') ?? '';
  const bodies: [string, Uint8Array][] = [
    ['application/json', Buffer.from(JSON.stringify({ b64 }))],
    ['image/jpeg', jpeg],
    [formType, new Uint8Array(await form.arrayBuffer())],
  ];
  for (const [type, body] of bodies) {
    for (const [encoding, compressed] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
    ] as const) {
      const response = await sendCompressed(encoding, new Uint8Array(compressed), type);
      assert.equal(response.status, 200, `${encoding} ${type}: ${await response.clone().text()}`);
      assert.equal(((await response.json()) as { hat: number }).hat, 9);
    }
  }
});

test('a compressed body is bounded by its length as it is read, and a damaged one is 400', async () => {
  const send = async (encoding: string, body: Uint8Array) => {
    const response = await sendCompressed(encoding, new Uint8Array(body), 'application/json');
    return [response.status, await kindOf(response)];
  };
  const bomb = gzipSync(Buffer.alloc(3e7, ' '));
  assert.ok(bomb.length < MAX_BODY_BYTES);
  assert.deepEqual(await send('gzip', bomb), [413, 'body_too_large']);
  const whole = gzipSync(Buffer.from(JSON.stringify({ b64 })));
  assert.deepEqual(await send('gzip', whole.subarray(0, -20)), [400, 'invalid_request']);
  assert.deepEqual(await send('gzip', Buffer.from('{"url":"x"}')), [400, 'invalid_request']);
  assert.deepEqual(await send('gzip, gzip', gzipSync(whole)), [415, 'unsupported_media']);
  assert.deepEqual(await send('br', whole), [415, 'unsupported_media']);
});

/** POSTs with Content-Length `length` (none if undefined), sends `sends` and does not end. Resolves with the status. */
async function unfinished(type: string, { length, sends }: { length?: number; sends: string }): Promise<number> {
  const headers = { 'Content-Type': type, ...(length !== undefined && { 'Content-Length': length }) };
  const sent = request(`${gateway.url}/predict`, { method: 'POST', headers });
  sent.on('error', () => {}); // destroyed below
  sent.flushHeaders();
  sent.write(sends);
  const [{ statusCode = 0 }] = (await once(sent, 'response')) as [IncomingMessage];
  sent.destroy();
  return statusCode;
}

test('D5: a body that is too large is refused by Content-Length or at the limit, before its end', async (t) => {
  const startedMs = performance.now();
  for (const type of ['application/json', 'image/jpeg', 'multipart/form-data; boundary=b']) {
    assert.equal(await unfinished(type, { length: 10e9, sends: ' ' }), 413, type);
    assert.equal(await unfinished(type, { sends: ' '.repeat(MAX_BODY_BYTES + 1) }), 413, type);
  }
  const tookMs = performance.now() - startedMs;
  t.diagnostic(`came: 413 six times within ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 10_000, 'refused at the deadline only');
});

test('D5: a limit that is not a number stops the start with exit code 2', async () => {
  for (const limit of ['abc', 'NaN']) {
    const { code, stderr } = await runCli(['serve'], { env: { MAX_BODY_BYTES: limit, MAX_IMAGE_BYTES: limit } });
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^MAX_BODY_BYTES=${limit}: needs a size .*\nMAX_IMAGE_BYTES=${limit}: needs`));
  }
});

test('D8: brackets in the query are ignored; a query of 100,000 brackets is 431', async (t) => {
  for (const [query, status] of [
    ['a[]=1&'.repeat(2000), 200],
    [`a${'[b]'.repeat(4000)}=1`, 200],
    ['__proto__[top]=1&top[__proto__]=1', 200],
    ['a[]=1&'.repeat(100_000), 431],
  ] as const) {
    const startedMs = performance.now();
    assert.equal((await predict(gateway, { b64 }, `?${query}`)).status, status, query.slice(0, 20));
    t.diagnostic(`came: ${status} after ${Math.round(performance.now() - startedMs)} ms`);
  }
});

/** Sends the request target unchanged; fetch would normalise it. */
async function ask(method: string, target: string): Promise<IncomingMessage> {
  const { hostname, port } = new URL(gateway.url);
  const [answer] = (await once(request({ hostname, port, method, path: target }).end(), 'response')) as [
    IncomingMessage,
  ];
  answer.resume();
  return answer;
}

test('D9: other methods are 405 with Allow on every route', async () => {
  for (const [target, allow, methods] of [
    ['/predict', 'POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/predict/pixels', 'POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/feedback', 'POST', ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/models', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/models/any/examples', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/models/any/examples/any.jpg', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']],
    ['/', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH']],
    ['/docs', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH']],
    ['/health/live', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH']],
    ['/health/ready', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH']],
  ] as const) {
    for (const method of methods) {
      const { statusCode, headers } = await ask(method, target);
      assert.deepEqual([method, target, statusCode, headers.allow], [method, target, 405, allow]);
    }
  }
});

test('D9: paths are not normalised; only one trailing slash is allowed', async () => {
  const targets = [
    '//predict',
    '/predict//',
    '/%2e%2e/',
    '/../predict',
    '/%2e%2e/predict',
    '/predict%2f',
    '/predict;a=1',
  ];
  for (const target of targets) assert.equal((await ask('POST', target)).statusCode, 404, target);
  assert.equal((await ask('GET', '/predict/')).statusCode, 405);
});

/** POSTs a form with these parts. */
function form(parts: readonly (readonly [name: string, header: string, content: string])[]): Promise<Response> {
  const pieces = parts.map(
    ([name, header, content]) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a"\r\n${header}\r\n${content}\r\n`,
  );
  return post('multipart/form-data; boundary=b', `${pieces.join('')}--b--\r\n`);
}

test('D10: a part header of 1 MiB and 10,000 parts are refused, and no file is written', async () => {
  const long = await form([['file', `X-Long: ${'a'.repeat(2 ** 20)}\r\n`, 'x']]);
  assert.deepEqual([long.status, await kindOf(long)], [400, 'invalid_request']);
  const many = await form(Array.from({ length: 10_000 }, () => ['file', '', 'x'] as const));
  assert.deepEqual([many.status, await kindOf(many)], [413, 'body_too_large']);
  const fields = await form([['x'.repeat(10_000), '', 'x']]);
  assert.equal(fields.status, 400);
  assert.deepEqual(await readdir(scratch), []);
});

/** The test's own client may keep up to 8 connections open. */
const CLIENT_CONNECTIONS = 8;

test('D11: 1,000 aborted uploads leave no open file and no request in flight', async (t) => {
  const { hostname, port } = new URL(gateway.url);
  const heads = [
    `Content-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`,
    'Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '3b\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n',
    'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"b64": "',
  ];
  async function abortUpload(index: number): Promise<void> {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(`POST /predict HTTP/1.1\r\nHost: a\r\n${heads[index % heads.length]}xx`);
    await sleep(1);
    socket.destroy();
  }
  await abortUpload(0);
  const before = await openFiles();
  for (let done = 0; done < 1000; done += 50)
    await Promise.all(Array.from({ length: 50 }, (_, at) => abortUpload(done + at)));
  assert.equal((await predict(gateway, { b64 })).status, 200);
  await until(async () => (await openFiles()) <= before + CLIENT_CONNECTIONS, 5000);
  t.diagnostic(`came: ${before} open files before, ${await openFiles()} after`);
  const metrics = await gateway.metrics();
  assert.match(metrics, /^tensorgate_requests_in_flight 0$/m);
});

test('D12: batches of 0, 1, the limit, and one more than the limit', async () => {
  for (const [count, status] of [
    [0, 400],
    [1, 200],
    [64, 200],
    [65, 413],
  ] as const) {
    const response = await predict(gateway, {
      instances: Array(count).fill({ b64: small }),
    });
    assert.equal(response.status, status, `${count} instances`);
    const { predictions } = (await response.json()) as { predictions?: object[] };
    if (status === 200) assert.equal(predictions?.length, count);
  }
});

test('D12: one bad picture of 32 gets an error at its index, the others get scores', async () => {
  const instances = Array.from({ length: 32 }, (_, at) => ({ b64: at === 17 ? 'AAAA' : small }));
  const { predictions } = (await (await predict(gateway, { instances })).json()) as { predictions: object[] };
  assert.deepEqual(
    predictions.flatMap((one, at) => ('error' in one ? [at] : [])),
    [17],
  );
  assert.equal(predictions.filter((one) => Object.keys(one).length === CLASSES.length).length, 31);
});
