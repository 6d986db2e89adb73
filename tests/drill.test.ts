/** The drill against the gateway, which passes every check, and against vulnerable servers, which must fail. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { runCli } from './cli.ts';
import { startGatewayFor } from './gateway.ts';
import { floatTensor, startModelServer, XCEPTION } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { startOrigin } from './origin.ts';

type CheckResult = { readonly id: string; readonly result: 'pass' | 'fail' | 'skip'; readonly came: string };

async function drill(...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['drill', '--json', ...args]);
  assert.notEqual(stdout, '', stderr);
  const { lines } = JSON.parse(stdout) as { lines: CheckResult[] };
  const of = (result: CheckResult['result']) => lines.filter((line) => line.result === result).map(({ id }) => id);
  return { code, lines, of, cameOf: (id: string) => lines.find((line) => line.id === id)?.came ?? '' };
}

/** A port that is very likely free. */
async function freePort(): Promise<number> {
  const origin = await startOrigin({});
  await origin.close();
  return origin.port;
}

/**
 * A gateway whose scores are ten of the picture's values. It may fetch from 127.0.0.2:port (all of 127/8 is loopback).
 */
async function startTarget(t: TestContext, port: number) {
  const model = await startModelServer({
    ...XCEPTION,
    onPredict({ inputs: { input_8 } }) {
      const { shape: [rows = 0] = [], tensor_content: bytes = Buffer.alloc(0) } = input_8 ?? {};
      const scoreOf = (at: number) => bytes.readFloatLE((Math.floor(at / 10) * bytes.length) / rows + (at % 10) * 4948);
      return {
        dense_7: floatTensor(
          [rows, 10],
          Array.from({ length: rows * 10 }, (_, at) => scoreOf(at)),
        ),
      };
    },
  });
  t.after(() => model.close());
  const gateway = await startGatewayFor(t, {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t),
    FETCH_ALLOW: '127.0.0.2/32',
    FETCH_PORTS: `80,443,${port}`,
    FETCH_TIMEOUT: '500ms',
    REQUEST_TIMEOUT: '2s',
  });
  await gateway.ready();
  return gateway;
}

test('the gateway passes every check', { timeout: 120_000 }, async (t) => {
  const port = await freePort();
  const { url } = await startTarget(t, port);
  const { code, lines, of } = await drill(url, '--origin-host', `127.0.0.2:${port}`);
  assert.deepEqual(of('fail'), [], JSON.stringify(lines.filter(({ result }) => result === 'fail')));
  assert.equal(code, 0);
  const unseen = of('skip').filter((id) => !id.includes('-'));
  assert.deepEqual(unseen, ['A29', 'A30', 'B6', 'B17', 'D17']);
  assert.ok(of('pass').length > 75, `${of('pass').length} checks`);
});

test('checks that need an origin are skipped with a reason if the endpoint cannot reach one', async (t) => {
  const { url } = await startTarget(t, 1);
  const without = await drill(url, '--only', 'A1,B8');
  assert.deepEqual([without.code, without.of('pass'), without.of('skip')], [0, ['A1'], ['B8']]);
  assert.match(without.cameOf('B8'), /--origin-host/);
  const closed = await drill(url, '--only', 'B8', '--origin-host', `127.0.0.2:${await freePort()}`);
  assert.match(closed.cameOf('B8'), /^the endpoint cannot fetch from 127\.0\.0\.2:\d+: 403 source_forbidden$/);
});

/** A server for one test. */
async function startServer(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer({ insecureHTTPParser: true, maxHeaderSize: 2 ** 21 }, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SCORES = JSON.stringify({ dress: 1, pants: 2 });

/** Fetches every URL, accepts everything as a picture, and answers errors with a stack trace. */
const vulnerable: RequestListener = async (request, response) => {
  const body = await textOf(request);
  try {
    if (request.headers['content-type'] === 'application/json') await fetch(JSON.parse(body).url);
    response.end(SCORES);
  } catch (error) {
    response.writeHead(500).end((error as Error).stack);
  }
};

test('every check on a vulnerable server fails', async (t) => {
  const url = await startServer(t, vulnerable);
  const { code, of, cameOf } = await drill(url, '--only', 'A1,A9,B1,B2,C3,C5,C20,D1,D3,D6,D9,D10,D12,D16,G7');
  assert.equal(code, 1);
  assert.deepEqual(of('pass'), ['C20']);
  assert.deepEqual(of('skip'), []);
  assert.match(cameOf('D9'), /^GET: 200, not 405; expected: /);
});

test('E25: the prefix is in front of every path, also where a path starts with the same letters', async (t) => {
  const urls: string[] = [];
  const url = await startServer(t, (request, response) => {
    urls.push(request.url ?? '');
    request.resume();
    if (!request.url?.startsWith('/pre/predict?')) response.writeHead(404).end();
    else if (request.method === 'POST') response.end(SCORES);
    else response.writeHead(405, { Allow: 'POST' }).end();
  });
  await drill(`${url}/pre/?model=a`, '--only', 'D5,D9,G7');
  assert.deepEqual(
    urls.filter((path) => !path.startsWith('/pre/')),
    [],
  );
  for (const path of ['/pre/predict?model=a', '/pre/metrics', '/pre//predict', '/pre/../predict']) {
    assert.ok(urls.includes(path), path);
  }
});

test('a server that fetches a URL before it refuses it fails A1', async (t) => {
  const url = await startServer(t, async (request, response) => {
    const body = await textOf(request);
    if (request.headers['content-type'] !== 'application/json') return response.end(SCORES);
    await fetch(JSON.parse(body).url).catch(() => undefined);
    const problem = { status: 403, kind: 'source_forbidden', detail: 'no', request_id: 'one' };
    return response.writeHead(403, { 'X-Request-Id': 'one' }).end(JSON.stringify(problem));
  });
  const { of, cameOf } = await drill(url, '--only', 'A1');
  assert.deepEqual(of('fail'), ['A1']);
  assert.match(cameOf('A1'), /the drill's origin received a request/);
});

test('a response with internals fails, and so do refusals with different texts', async (t) => {
  let count = 0;
  const url = await startServer(t, async (request, response) => {
    const body = await textOf(request);
    if (request.headers['content-type'] !== 'application/json') return response.end(SCORES);
    const isUrl = typeof JSON.parse(body).url === 'string';
    const [status, kind] = isUrl ? [403, 'source_forbidden'] : [400, 'invalid_request'];
    count += 1;
    const detail = isUrl ? `refused ${count}` : 'at read (/app/gateway/main.ts:7:1)';
    const problem = { status, kind, detail, request_id: 'one' };
    return response.writeHead(status as number, { 'X-Request-Id': 'one' }).end(JSON.stringify(problem));
  });
  const { of, cameOf } = await drill(url, '--only', 'A1,H6');
  assert.deepEqual(of('fail'), ['A1', 'H6']);
  assert.match(cameOf('A1'), /refused with different texts/);
  assert.match(cameOf('H6'), /the response contains "at read \("/);
});

test('an endpoint that scores nothing, or wrong usage, exits with 2', async (t) => {
  const url = await startServer(t, (_request, response) => response.writeHead(401).end('{}'));
  const closed = `http://127.0.0.1:${await freePort()}`;
  for (const [args, message] of [
    [[url], /401, not 200: .*--key/],
    [[closed], /no response \(ECONNREFUSED\)/],
    [['ftp://a.example/'], /needs an http or https URL/],
    [[url, '--only', 'Z9'], /--only Z9: needs letters and ids/],
  ] as const) {
    const { code, stderr } = await runCli(['drill', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
});
