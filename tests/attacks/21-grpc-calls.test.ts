/** Thousands of calls on the gRPC port: left open without a message, or reset as soon as they are sent. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IMAGE_ENV, type RunningGateway, startGatewayFor } from '../gateway.ts';
import { GrpcClient, MODEL_SERVICE } from '../grpc-client.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';

const CONNECTIONS = 150;
const CALLS = 256;
/** As many calls that are kept would take 400 MB. */
const MAX_GROWTH_BYTES = 280e6;

/** Types of frames (RFC 9113, 6), and the flag END_HEADERS. */
const [HEADERS, RST_STREAM, SETTINGS] = [1, 3, 4];
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field that is not indexed (RFC 7541, 6.2.2). */
function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}

const HEAD = Buffer.concat([
  field(':method', 'POST'),
  field(':scheme', 'http'),
  field(':path', '/tensorflow.serving.PredictionService/Predict'),
  field(':authority', 'a'),
  field('content-type', 'application/grpc'),
]);
const CANCEL = Buffer.of(0, 0, 0, 8);

const streams = Array.from({ length: CALLS }, (_, index) => 2 * index + 1);
const START = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0)]);
const KINDS = {
  'left open': streams.map((stream) => frame(HEADERS, END_HEADERS, stream, HEAD)),
  'reset at once': streams.flatMap((stream) => [
    frame(HEADERS, END_HEADERS, stream, HEAD),
    frame(RST_STREAM, 0, stream, CANCEL),
  ]),
};

async function start(t: TestContext): Promise<RunningGateway> {
  const model = await startClothingModel();
  t.after(() => model.close());
  const settings = { TF_SERVING_HOST: model.target, GRPC_PORT: '0', DECODERS: '1' };
  const gateway = await startGatewayFor(t, { ...IMAGE_ENV, ...settings, MODELS: await modelsFolder(t) });
  await gateway.ready();
  return gateway;
}

async function memoryBytes({ process: { pid } }: RunningGateway, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
}

function attack({ grpcTarget }: RunningGateway, frames: readonly Buffer[]): Socket[] {
  const [host = '', port] = grpcTarget.split(':');
  const sent = Buffer.concat([START, ...frames]);
  return Array.from({ length: CONNECTIONS }, () => {
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined).resume();
    socket.write(sent);
    return socket;
  });
}

for (const [kind, frames] of Object.entries(KINDS)) {
  test(`A20: ${CONNECTIONS * CALLS} calls that are ${kind}: in bounded memory, and others are answered meanwhile`, async (t) => {
    const gateway = await start(t);
    const client = new GrpcClient(gateway.grpcTarget);
    t.after(() => client.close());
    const ask = () => client.call(MODEL_SERVICE, 'GetModelStatus', { model_spec: { name: 'clothing-model' } });
    await ask();
    const before = await memoryBytes(gateway, 'VmRSS');

    const sockets = attack(gateway, frames);
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    const waits: number[] = [];
    while (waits.length < 12) {
      const startedMs = performance.now();
      assert.equal((await fetch(`${gateway.url}/health/live`)).status, 200);
      await ask();
      waits.push(performance.now() - startedMs);
      await sleep(50);
    }
    const grown = (await memoryBytes(gateway, 'VmHWM')) - before;
    const [median, longest] = [6, 11].map((at) => waits.toSorted((one, other) => one - other)[at] ?? 0);
    t.diagnostic(
      `came: ${Math.round(grown / 1e6)} MB more, others wait ${median?.toFixed()} ms, ${longest?.toFixed()} at most`,
    );
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`);
    assert.ok((median ?? 0) < 5000);
  });
}
