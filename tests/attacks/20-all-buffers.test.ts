/** Fills every buffer of the memory rule (docs/overload.md) to its bound, all at the same time. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { memoryNeed } from '../../gateway/machine/memory-rule.ts';
import { IMAGE_ENV, predictImage, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { EQUAL_SCORES, floatTensor, startModelServer, XCEPTION } from '../model-server.ts';
import { CARD, modelsFolder } from '../models.ts';
import { startOrigin } from '../origin.ts';
import { open } from '../raw.ts';
import { until } from '../until.ts';

/** As many pixels as are allowed. An interlaced PNG is decoded as a whole, in a process; a progressive JPEG in a thread. */
const largest = sharp({ create: { width: 2000, height: 2000, channels: 3, background: 'red' } });
const largestPng = await largest.clone().png({ progressive: true }).toBuffer();
const largestJpeg = await largest.clone().jpeg({ progressive: true }).toBuffer();
const jpeg = await readFile(new URL('../golden/images/jpg-17x16.jpg', import.meta.url));

/** The settings of the memory rule, small, so that the buffers are filled quickly. */
const SETTINGS = {
  maxBodyBytes: 2e6,
  maxInFlight: 8,
  maxQueue: 8,
  maxInstances: 8,
  maxImageBytes: 1e6,
  maxOutputBytes: 1e6,
  maxImagePixels: 4e6,
  decoders: 1,
  maxConnections: 1200,
};
const IN_ENV = {
  MAX_BODY_BYTES: '2MB',
  MAX_IN_FLIGHT: '8',
  MAX_QUEUE: '8',
  MAX_INSTANCES: '8',
  MAX_IMAGE_BYTES: '1MB',
  MAX_OUTPUT_BYTES: '1MB',
  MAX_IMAGE_PIXELS: '4MP',
  DECODERS: '1',
  MAX_CONNECTIONS: '1200',
};

const post = (headers: string, body: string, path = '/predict') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const json = (body: object | string, path?: string) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return post(`Content-Type: application/json\r\nContent-Length: ${text.length}`, text, path);
};
const picture = (type: string, bytes: Buffer) =>
  post(`Content-Type: image/${type}\r\nContent-Length: ${bytes.length}`, bytes.toString('latin1'));
const upload = (type: string, start: string) => post(`Content-Type: ${type}\r\nContent-Length: 1900000`, start);
const crumbs = (pieces: number) =>
  post('Content-Type: image/jpeg\r\nTransfer-Encoding: chunked', '1\r\nx\r\n'.repeat(pieces));
/** A head of 15 kB in as many headers as are allowed. */
const HEAD = Array.from({ length: 90 }, (_, index) => `x-${index}: ${'a'.repeat(160)}`).join('\r\n');

/** Rows of a table, whose answer is 2 MB: a quarter of the memory for the answers of model servers. */
const TABLE_ROWS = 2;
const TABLE_COLUMNS = 250_000;
const table = {
  inputs: { x: { dtype: 'DT_FLOAT', shape: [-1, 1] } },
  outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, TABLE_COLUMNS] } },
};
const TABLE_ANSWER = {
  y: {
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: [{ size: TABLE_ROWS }, { size: TABLE_COLUMNS }] },
    tensor_content: Buffer.alloc(TABLE_ROWS * TABLE_COLUMNS * 4),
  },
};
const TABLE_PATH = '/v2/models/table/infer';
const TABLE_BODY = JSON.stringify({
  parameters: { binary_data_output: true },
  inputs: [{ name: 'x', datatype: 'FP32', shape: [TABLE_ROWS, 1], data: Array(TABLE_ROWS).fill(1) }],
});

type Parts = { readonly slow: string; readonly image: string };

/** What each buffer is filled with: the text of one connection, and how many of them. */
const buffers = ({ slow, image }: Parts): Record<string, readonly [count: number, text: string]> => ({
  // As many as MAX_IN_FLIGHT: a full queue would refuse the bodies below before they take memory.
  'pictures to decode in processes': [4, picture('png', largestPng)],
  'pictures to decode in threads': [4, picture('jpeg', largestJpeg)],
  'large bodies': [6, upload('image/jpeg', 'x'.repeat(990_000))],
  'bodies of JSON': [6, upload('application/json', `{"b64":"${'A'.repeat(1_800_000)}`)],
  'incomplete heads': [300, `POST /predict HTTP/1.1\r\nHost: a\r\n${HEAD}`],
  'heads without a body': [300, post(`${HEAD}\r\nContent-Type: image/jpeg\r\nContent-Length: 9`, '')],
  'small bodies in tiny pieces': [200, crumbs(200)],
  'parsed JSON': [6, json({ other: 'A'.repeat(1_900_000) })],
  'pipelined requests': [60, json({ url: slow }) + post(`${HEAD}\r\nContent-Length: 0`, '').repeat(15)],
  'bodies behind another request': [60, json({ url: slow }) + crumbs(200)],
  'downloads that wait': [20, json({ instances: Array.from({ length: 8 }, () => ({ url: slow })) })],
  'fetched images': [20, json({ instances: Array.from({ length: 8 }, () => ({ url: image })) })],
  'answers to tables': [30, json(TABLE_BODY, TABLE_PATH)],
  'sent images': [20, picture('jpeg', jpeg)],
});

/** A source that sends the start of a head, and nothing more. */
async function startSilence(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.write(`HTTP/1.1 200 OK\r\n${HEAD}`);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
}

async function start(t: TestContext): Promise<{ gateway: RunningGateway; parts: Parts; calm: () => void }> {
  const boxes = { dtype: 'DT_FLOAT', shape: [-1, -1, 4] };
  let outputs: object = { ...EQUAL_SCORES, boxes: floatTensor([1, 1, 4], [0, 0, 0, 0]) };
  const calmOutputs = outputs;
  const model = await startModelServer({
    inputs: XCEPTION.inputs,
    outputs: { ...XCEPTION.outputs, boxes },
    models: { table },
    onPredict: ({ spec }) => (spec.name === 'table' ? TABLE_ANSWER : outputs),
  });
  const pixels = Buffer.concat([jpeg, Buffer.alloc(1e6 - jpeg.length)]);
  const origin = await startOrigin({ '/photo.jpg': pixels });
  t.after(() => Promise.all([model.close(), origin.close()]));
  const gateway = await startGatewayFor(t, {
    ...IMAGE_ENV,
    ...IN_ENV,
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t, { 'clothing-model': `${CARD}output: dense_7\n` }),
    FETCH_ALLOW: '127.0.0.0/8',
    FETCH_ALLOW_PRIVATE: 'true',
  });
  await gateway.ready();
  // The table has no model.yaml: it is found by a request.
  const tableRequest = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: TABLE_BODY };
  await until(async () => (await fetch(`${gateway.url}${TABLE_PATH}`, tableRequest)).status === 200);
  outputs = { ...EQUAL_SCORES, boxes: { dtype: 'DT_FLOAT', tensor_content: Buffer.alloc(900_000) } };
  return {
    gateway,
    parts: { slow: await startSilence(t), image: `${origin.url}/photo.jpg` },
    calm: () => {
      outputs = calmOutputs;
    },
  };
}

/** Resident memory of the gateway and its decoder. */
async function residentBytes({ process: { pid } }: RunningGateway): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
  const sizes = [String(pid), ...children].map(async (each) => {
    const status = await readFile(`/proc/${each}/status`, 'utf8').catch(() => '');
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  });
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

const hasDecoded = (decoder: string) => new RegExp(`^tensorgate_decoded_total.*decoder="${decoder}".* [1-9]`, 'm');

const hasRefused = (metrics: string, status: number) =>
  new RegExp(`^tensorgate_requests_total.*status="${status}",kind="overloaded"`, 'm').test(metrics);

test('A01 to A09: with every buffer full the memory stays below the rule, and the gateway is alive', async (t) => {
  const { gateway, parts, calm } = await start(t);
  const needBytes = memoryNeed(SETTINGS).totalBytes;
  const before = await residentBytes(gateway);
  let peakBytes = before;
  let slowestMs = 0;
  let isFilling = true;
  const watched = (async () => {
    while (isFilling) {
      const startedMs = performance.now();
      assert.equal((await fetch(`${gateway.url}/health/live`, { headers: { Connection: 'close' } })).status, 200);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      peakBytes = Math.max(peakBytes, await residentBytes(gateway));
    }
  })();
  // What refuses more: the memory of bodies (503), and the places of requests (429).
  const refuses = (status: number) => until(async () => hasRefused(await gateway.metrics(), status));
  const sockets: Socket[] = [];
  for (const [name, [count, text]] of Object.entries(buffers(parts))) {
    const opened = await Promise.all(Array.from({ length: count }, () => open(gateway)));
    for (const socket of opened) {
      socket.on('error', () => undefined).resume();
      socket.write(text, 'latin1');
    }
    sockets.push(...opened);
    if (name === 'bodies of JSON') await refuses(503);
  }
  await until(() => sockets.every(({ closed, writableLength }) => closed || writableLength === 0), 30_000);
  await refuses(429);
  for (const decoder of ['jpeg', 'sharp']) assert.match(await gateway.metrics(), hasDecoded(decoder));
  isFilling = false;
  await watched;
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  t.diagnostic(
    `came: ${mb(before)} MB, then ${mb(peakBytes)} of ${mb(needBytes)} MB; alive within ${Math.round(slowestMs)} ms`,
  );
  assert.ok(peakBytes < needBytes, `${mb(peakBytes)} MB`);
  assert.ok(slowestMs < 20_000, `${slowestMs} ms`);
  for (const socket of sockets) socket.destroy();
  calm();
  await until(async () => (await predictImage(gateway, jpeg)).status === 200);
});
