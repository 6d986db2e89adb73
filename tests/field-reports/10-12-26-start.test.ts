/** Starts that go wrong say which setting is wrong, at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runCli } from '../cli.ts';
import { startGatewayFor } from '../gateway.ts';
import { modelsFolder } from '../models.ts';
import { until } from '../until.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('E24 (10): a taken port ends the start with one line and exit code 2, with the embedded server too', async (t) => {
  const taken = await listen(t, createServer());
  const MODELS = await modelsFolder(t);
  for (const [env, setting] of [
    [{ ADMIN_PORT: String(taken), PORT: '0' }, 'ADMIN_PORT'],
    [{ ADMIN_PORT: '0', PORT: String(taken), TF_SERVING_HOST: '127.0.0.1:1' }, 'PORT'],
  ] as const) {
    const { code, stderr } = await runCli(['serve'], { env: { HOST: '127.0.0.1', MODELS, ...env } });
    const line = `${setting}=${taken}: cannot listen on 127.0.0.1: another process listens there\n`;
    assert.deepEqual([code, stderr], [2, line]);
  }
});

test('E24 (26): a HOST that is no address of this machine is named, not the port', async (t) => {
  const MODELS = await modelsFolder(t);
  for (const HOST of ['x86_64-conda-linux-gnu', '203.0.113.1']) {
    const env = { HOST, PORT: '0', ADMIN_PORT: '0', MODELS, TF_SERVING_HOST: '127.0.0.1:1' };
    const { code, stderr } = await runCli(['serve'], { env });
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^HOST=${HOST}: is not an address of this machine \\(E\\w+\\); unset it`));
  }
});

test('E24 (12): each unreachable model server is named with its reason, once, and not to clients', async (t) => {
  const rest = await listen(
    t,
    createHttpServer((_request, response) => void response.end()),
  );
  const tls = await listen(
    t,
    createServer((socket) => void socket.on('error', () => {}).end('\x15\x03\x01')),
  );
  const closed = createServer();
  const closedPort = await listen(t, closed);
  closed.close();
  const hosts = [`127.0.0.1:${rest}`, `127.0.0.1:${tls}`, `127.0.0.1:${closedPort}`, 'tf-servnig.invalid:8500'];
  const MODELS = await modelsFolder(t, { a: 'name: a\n', b: 'name: b\n' });
  const gateway = await startGatewayFor(t, { TF_SERVING_HOST: hosts.join(), MODELS });
  const reasons = () => gateway.log.flatMap(({ reason }) => reason ?? []);
  await until(() => reasons().length > 0);
  assert.equal(reasons().length, 1, 'one line for both models');
  assert.deepEqual(
    String(reasons()[0])
      .replace(/EAI_AGAIN/, 'ENOTFOUND')
      .split('; '),
    [
      `127.0.0.1:${rest}: speaks HTTP/1.1: is it the REST port? gRPC is 8500 by default (Triton: 8001)`,
      `127.0.0.1:${tls}: expects TLS: set TF_SERVING_CA_FILE`,
      `127.0.0.1:${closedPort}: nothing listens there (ECONNREFUSED)`,
      'tf-servnig.invalid:8500: the name cannot be resolved (ENOTFOUND)',
    ],
  );
  const problem = 'The model server is not reachable; try again.';
  type Ready = { models: Record<string, { problem: string; detail?: string }> };
  const read = async (url: string) => ((await (await fetch(`${url}/health/ready`)).json()) as Ready).models.a;
  await until(async () => (await read(gateway.adminUrl))?.detail === reasons()[0]);
  assert.deepEqual(await read(gateway.url), { ready: false, problem });
});
