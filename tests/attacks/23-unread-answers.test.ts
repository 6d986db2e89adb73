/** Clients that ask for large answers and read nothing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IMAGE_ENV, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { startModelServer } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { open } from '../raw.ts';
import { until } from '../until.ts';

const ROWS = 16;
const COLUMNS = 250_000;
const CLIENTS = 40;
const ANSWER_BYTES = ROWS * COLUMNS * 4;
/** All answers together are 640 MB. Bodies and answers may take 64 MB; those in hand at the same time are more. */
const MAX_GROWTH_BYTES = 350e6;

const PATH = '/v2/models/large/infer';
const BODY = JSON.stringify({
  parameters: { binary_data_output: true },
  inputs: [{ name: 'x', datatype: 'FP32', shape: [ROWS, 1], data: Array(ROWS).fill(1) }],
});

async function start(t: TestContext): Promise<RunningGateway> {
  const signature = {
    inputs: { x: { dtype: 'DT_FLOAT', shape: [-1, 1] } },
    outputs: { y: { dtype: 'DT_FLOAT', shape: [-1, COLUMNS] } },
  };
  const shape = { dim: [{ size: ROWS }, { size: COLUMNS }] };
  const y = { dtype: 'DT_FLOAT', tensor_shape: shape, tensor_content: Buffer.alloc(ANSWER_BYTES) };
  const model = await startModelServer({ ...signature, models: { large: signature }, onPredict: () => ({ y }) });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    ...IMAGE_ENV,
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t, {}),
    DECODERS: '1',
    MAX_IN_FLIGHT: '4',
    MAX_BODY_BYTES: '4MB',
  });
  await until(async () => (await ask(gateway)).status === 200);
  return gateway;
}

async function ask({ url }: RunningGateway): Promise<{ readonly status: number; readonly bytes: number }> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}${PATH}`, { method: 'POST', headers, body: BODY });
  return { status: response.status, bytes: (await response.arrayBuffer()).byteLength };
}

async function memoryBytes({ process: { pid } }: RunningGateway, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
}

test(`A22: ${CLIENTS} answers of 16 MB that nobody reads take bounded memory, and others get theirs`, async (t) => {
  const gateway = await start(t);
  const before = await memoryBytes(gateway, 'VmRSS');
  const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}`;
  const sockets: Socket[] = [];
  while (sockets.length < CLIENTS) {
    const socket = await open(gateway);
    sockets.push(socket);
    socket.on('error', () => undefined).pause();
    socket.write(`${head}\r\n\r\n${BODY}`);
    await sleep(100);
  }
  await until(async () => (await ask(gateway)).status === 200);
  const { bytes } = await ask(gateway);
  assert.ok(bytes > ANSWER_BYTES, `${bytes} bytes`);
  const grown = (await memoryBytes(gateway, 'VmHWM')) - before;
  const dropped = gateway.log.filter(({ msg }) => /an answer was dropped/.test(String(msg))).length;
  t.diagnostic(`came: ${Math.round(grown / 1e6)} MB more, ${dropped} answers were dropped`);
  for (const socket of sockets) socket.destroy();
  assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`);
});
