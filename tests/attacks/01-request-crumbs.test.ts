/** Bodies in chunks of one byte, on many connections at once. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { IMAGE_ENV, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { open } from '../raw.ts';

const CONNECTIONS = 200;
const PIECES = 16_000;
/** Kept pieces would take 1 GB. */
const MAX_BYTES = 400e6;

const part = (name: string) => `--b\r\nContent-Disposition: form-data; name="${name}"`;
const KINDS = [
  { name: 'JSON', type: 'application/json', start: '{' },
  { name: 'a text of a form', type: 'multipart/form-data; boundary=b', start: `${part('file')}\r\n\r\n` },
  { name: 'a header of a part', type: 'multipart/form-data; boundary=b', start: part('file') },
];

async function start(t: TestContext): Promise<RunningGateway> {
  const model = await startClothingModel();
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    ...IMAGE_ENV,
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    DECODERS: '1',
    REQUEST_TIMEOUT: '60s',
  });
  await gateway.ready();
  return gateway;
}

async function peakBytes({ process: { pid } }: RunningGateway): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
}

/** Sends the start of a body, and single bytes, without an end. Resolves with the answer. */
async function sendCrumbs(gateway: RunningGateway, type: string, start: string): Promise<string> {
  const socket = await open(gateway);
  const head = `POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  socket.write(`${head}${start.length.toString(16)}\r\n${start}\r\n${'1\r\n \r\n'.repeat(PIECES)}`);
  return text(socket);
}

test('A01: bodies in crumbs are refused in bounded memory; others are answered meanwhile', async (t) => {
  const gateway = await start(t);
  for (const { name, type, start } of KINDS) {
    const answers = Promise.all(Array.from({ length: CONNECTIONS }, () => sendCrumbs(gateway, type, start)));
    const startedMs = performance.now();
    assert.equal((await fetch(`${gateway.url}/health/live`)).status, 200);
    const liveMs = performance.now() - startedMs;
    assert.ok(liveMs < 20_000);
    for (const answer of await answers) assert.match(answer, /^HTTP\/1.1 400 .*larger chunks/s);
    t.diagnostic(`came: ${name}: ${CONNECTIONS} times 400, alive after ${Math.round(liveMs)} ms`);
  }
  assert.ok((await peakBytes(gateway)) < MAX_BYTES);
});
