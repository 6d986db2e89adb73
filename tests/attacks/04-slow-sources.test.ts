/** Requests that wait for a slow image source, beside requests that do not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGatewayFor } from '../gateway.ts';
import { startClothingModel } from '../model-server.ts';
import { modelsFolder } from '../models.ts';
import { slowDrip, startOrigin } from '../origin.ts';
import { until } from '../until.ts';

const picture = await readFile(new URL('../golden/images/jpg-17x16.jpg', import.meta.url));

/** `ports`: of other sources. `openFiles`: the gateway's `ulimit -n`. */
type Started = { readonly ports?: readonly number[]; readonly openFiles?: number };

/** A gateway with the container's MAX_IN_FLIGHT, a quick source, and one that never ends an answer. */
async function start(t: TestContext, { ports = [], openFiles }: Started = {}) {
  const model = await startClothingModel();
  const quick = await startOrigin({ '/photo.jpg': picture });
  const slow = await startOrigin({ '/silent.jpg': () => {}, '/drip.jpg': slowDrip });
  t.after(() => Promise.all([model.close(), quick.close(), slow.close()]));
  const gateway = await startGatewayFor(
    t,
    {
      TF_SERVING_HOST: model.target,
      MODELS: await modelsFolder(t),
      FETCH_ALLOW: '127.0.0.0/8',
      FETCH_PORTS: [quick.port, slow.port, ...ports].join(),
      MAX_IN_FLIGHT: '16',
      DECODERS: '2',
      // No test waits until a slow source times out.
      FETCH_TIMEOUT: '60s',
      REQUEST_TIMEOUT: '60s',
    },
    openFiles === undefined ? undefined : `-n ${openFiles}`,
  );
  await gateway.ready();
  const post = (body: object, signal?: AbortSignal) =>
    fetch(`${gateway.url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
  return { quick, slow, post };
}

for (const page of ['silent.jpg', 'drip.jpg']) {
  test(`A04, B17: batches of a slow source (${page}) do not delay requests that need other sources or none`, async (t) => {
    const { quick, slow, post } = await start(t);
    const end = new AbortController();
    const image = { url: `${slow.url}/${page}` };
    const batch = { instances: Array.from({ length: 64 }, () => image) };
    let answered = 0;
    const waiting = [batch, batch, ...Array.from({ length: 60 }, () => image)].map((body) =>
      post(body, end.signal).then(
        () => (answered += 1),
        () => undefined,
      ),
    );
    while (slow.hits.length < 16) await sleep(20);
    const good = [{ url: `${quick.url}/photo.jpg` }, { b64: picture.toString('base64') }];
    const sent = Array.from({ length: 20 }, async (_, index) => (await post(good[index % 2] ?? {})).status);
    const statuses = await Promise.all(sent);
    const count = statuses.filter((status) => status === 200).length;
    t.diagnostic(`came: ${count} of 20 good requests answered 200 beside ${slow.hits.length} slow fetches`);
    assert.deepEqual(statuses, Array(20).fill(200));
    assert.equal(answered, 0, 'the slow requests wait still');
    end.abort();
    await Promise.all(waiting);
  });
}

/** Accepts connections at every address of the machine, and never answers. */
async function startSilence(t: TestContext): Promise<{ readonly port: number; readonly connections: () => number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => sockets.size };
}

/** With them, and two decoders, so many connections to sources may be open. */
const FEW_FILES = 256;
const SOURCE_CONNECTIONS = 49;

for (const openFiles of [undefined, FEW_FILES]) {
  const limit = openFiles === undefined ? '' : ` (ulimit -n ${openFiles})`;
  test(`A04: three hundred slow hosts take no place that a quick source needs${limit}`, async (t) => {
    const silence = await startSilence(t);
    const { quick, post } = await start(t, { ports: [silence.port], ...(openFiles !== undefined && { openFiles }) });
    const end = new AbortController();
    // Half of the open files are for connections of clients.
    const count = openFiles === undefined ? 300 : 100;
    const hosts = Array.from({ length: count }, (_, i) => `127.0.${1 + (i >> 7)}.${1 + (i & 127)}`);
    const waiting = hosts.map((host) =>
      post({ url: `http://${host}:${silence.port}/` }, end.signal).then(
        ({ status }) => status,
        () => undefined,
      ),
    );
    // The most that wait of one tenant, or the connections that there are.
    await until(() => silence.connections() >= (openFiles === undefined ? 160 : SOURCE_CONNECTIONS));
    const good = async () => (await post({ url: `${quick.url}/photo.jpg` })).status;
    // A place is free as soon as a request has waited long. Until then connections of the burst may be closed.
    await until(async () => (await good().catch(() => undefined)) === 200);
    const statuses: number[] = [];
    while (statuses.length < 20) statuses.push(await good());
    end.abort();
    await Promise.all(waiting);
    const answered = statuses.filter((status) => status === 200).length;
    t.diagnostic(`came: ${answered} of 20 good requests answered 200 beside ${silence.connections()} slow fetches`);
    assert.deepEqual(statuses, Array(20).fill(200));
  });
}

test(`A04: five slow hosts leave connections to others (ulimit -n ${FEW_FILES})`, async (t) => {
  const silence = await startSilence(t);
  const { quick, post } = await start(t, { ports: [silence.port], openFiles: FEW_FILES });
  const end = new AbortController();
  const batches = [1, 2, 3, 4, 5].map((host) => {
    const url = `http://127.0.0.${host}:${silence.port}/`;
    return { instances: Array.from({ length: 8 }, () => ({ url })) };
  });
  const waiting = [...batches, ...batches, ...batches].map((body) => post(body, end.signal).catch(() => undefined));
  await until(() => silence.connections() >= 40);
  const startedMs = performance.now();
  const good = await Promise.all(
    Array.from({ length: 20 }, async () => (await post({ url: `${quick.url}/photo.jpg` })).status),
  );
  t.diagnostic(`came: 20 good requests took ${Math.round(performance.now() - startedMs)} ms`);
  assert.deepEqual(good, Array(20).fill(200));
  const slow = silence.connections();
  assert.ok(slow < SOURCE_CONNECTIONS, `${slow} of ${SOURCE_CONNECTIONS} connections are slow`);
  end.abort();
  await Promise.all(waiting);
});
