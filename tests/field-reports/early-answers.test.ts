/** Clients that read no answer before they have sent everything, such as Python's urllib and requests, see early answers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { type ModelServer, startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { open } from '../raw.ts';

const MB = 1e6;
/** More than the buffers of a connection hold: the gateway must read it. */
const BODY_BYTES = 30 * MB;
const CHUNK = Buffer.alloc(64 * 1024, 'x');
const KEY = 'X-API-Key: good';

let model: ModelServer;
let gateway: RunningGateway;
let scratch: string;

before(async (t) => {
  scratch = await mkdtemp(path.join(tmpdir(), 'keys-'));
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  const keys = [
    { name: 'good', sha256: sha256('good') },
    { name: 'limited', sha256: sha256('limited'), rate: '1/h' },
  ];
  await writeFile(path.join(scratch, 'keys.json'), JSON.stringify(keys));
  model = await startClothingModel();
  gateway = await startGateway({
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext),
    API_KEYS_FILE: path.join(scratch, 'keys.json'),
    MAX_BODY_BYTES: '1MB',
    MAX_IMAGE_BYTES: '1MB',
  });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await rm(scratch, { recursive: true });
  assert.equal(code, 0);
});

/** Sends a head and then `bytes` bytes without reading. Resolves with what the gateway sends until it closes. */
async function sendThenRead(head: readonly string[], bytes: number): Promise<string> {
  const socket = await open(gateway);
  socket.pause();
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent));
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return text(socket);
}

const post = (target: string, ...headers: string[]) => [
  `POST ${target} HTTP/1.1`,
  'Host: a',
  'Connection: close',
  `Content-Length: ${BODY_BYTES}`,
  ...headers,
];

for (const [what, status, head] of [
  ['a JSON body over the limit', 413, post('/predict', KEY, 'Content-Type: application/json')],
  ['an image over the limit', 413, post('/predict', KEY, 'Content-Type: image/jpeg')],
  ['a form over the limit', 413, post('/predict', KEY, 'Content-Type: multipart/form-data; boundary=b')],
  ['another content type', 415, post('/predict', KEY, 'Content-Type: text/plain')],
  ['a wrong query', 400, post('/predict?top=0', KEY, 'Content-Type: image/jpeg')],
  ['no API key', 401, post('/predict', 'Content-Type: image/jpeg')],
  ['another route', 404, post('/nowhere', KEY)],
  ['another method', 405, post('/models', KEY)],
  ['bytes that are not HTTP', 400, ['hello']],
  ['headers that are too large', 431, [...post('/predict'), `X-A: ${'a'.repeat(20_000)}`]],
] as const) {
  test(`E23: ${what}: a client that reads last sees the ${status}`, async () => {
    const answer = await sendThenRead(head, BODY_BYTES);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(answer, /"kind":"\w+"/);
  });
}

test('E23: a key over its rate: a client that reads last sees the 429', async () => {
  const head = post('/predict', 'X-API-Key: limited', 'Content-Type: image/jpeg');
  await sendThenRead(head, BODY_BYTES);
  assert.match(await sendThenRead(head, BODY_BYTES), /^HTTP\/1\.1 429 .*"kind":"quota"/s);
});

test('E23: a kept connection is used again after the rest of a refused body', async () => {
  const [line, host, , length] = post('/predict');
  const refused = [line, host, length, KEY, 'Content-Type: image/jpeg'].map(String);
  const next = 'GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const socket = await open(gateway);
  socket.write(`${refused.join('\r\n')}\r\n\r\n`);
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) {
    const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, BODY_BYTES - sent));
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.write(next);
  let answers = '';
  for await (const data of socket) answers += data;
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('E23: a client that never stops sending is cut off after 256 MiB', async (t) => {
  const socket = await open(gateway);
  const closed = new Promise<boolean>((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve(true));
  });
  const head = post('/predict', KEY, 'Content-Type: image/jpeg').filter((line) => !line.startsWith('Content-Length'));
  socket.write(`${[...head, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n`);
  const chunk = Buffer.concat([Buffer.from(`${CHUNK.length.toString(16)}\r\n`), CHUNK, Buffer.from('\r\n')]);
  let sentBytes = 0;
  while (!socket.destroyed && sentBytes < 1000 * MB) {
    sentBytes += chunk.length;
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
  await closed;
  t.diagnostic(`came: closed after ${Math.round(sentBytes / MB)} MB`);
  assert.ok(sentBytes > 256 * MB && sentBytes < 350 * MB);
});
