/** Answers must not contain internals, and the log must not contain a client's control characters. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { asGatewayError, GatewayError, KINDS, type Kind } from '../gateway/errors.ts';
import { problem } from '../gateway/http/problem.ts';
import { predict, startGatewayFor } from './gateway.ts';
import { startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';
import { startOrigin } from './origin.ts';
import { LEAKS } from './refusals.ts';

const SECRET = '/models/secret/1 at 10.0.0.1:8500 (grpc-js, sharp) node:internal/x.ts:1:1';
const IDS = { requestId: 'id', traceId: 'trace' };
const GATEWAY = path.resolve(import.meta.dirname, '../gateway');
const jpeg = (await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url))).toString('base64');

test('H6: the problem document of every kind has public text only, whatever the cause', () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const { body, headers } = problem(new GatewayError(kind, 'what was wrong', { cause: new Error(SECRET) }), IDS);
    assert.doesNotMatch(`${body}${JSON.stringify(headers)}`, LEAKS, kind);
    assert.deepEqual(Object.keys(JSON.parse(body)), [
      'type',
      'title',
      'status',
      'detail',
      'kind',
      'request_id',
      'trace_id',
    ]);
  }
  assert.doesNotMatch(problem(asGatewayError(new TypeError(SECRET)), IDS).body, LEAKS);
});

test('H6: no error text in the code names a path, an address or a library', async () => {
  let texts = 0;
  for await (const file of glob('**/*.ts', { cwd: GATEWAY })) {
    if (file.endsWith('.test.ts') || file.startsWith('cli/')) continue;
    const code = await readFile(path.join(GATEWAY, file), 'utf8');
    for (const [, text = ''] of code.matchAll(/new GatewayError\(\s*[^,]+,\s*(['`](?:[^'`\\]|\\.)*['`])/g)) {
      // Callers of GRPC_PORT know that they speak gRPC. Its name and its headers tell them nothing new.
      const shown = file.startsWith('grpc/')
        ? text.replaceAll(/gRPC|application\/grpc|grpc-(timeout|encoding)/g, '')
        : text;
      assert.doesNotMatch(shown, LEAKS, file);
      texts += 1;
    }
  }
  assert.ok(texts > 30, `${texts} texts`);
});

test('H6: the details of a model server are not in the answer, for every gRPC status', async (t) => {
  let code = 0;
  const onPredict = () => Promise.reject({ code, details: SECRET });
  const gateway = await start(t, onPredict);
  const kinds = new Set<string>();
  for (code = 1; code <= 16; code += 1) {
    const text = await (await predict(gateway, { b64: jpeg })).text();
    assert.doesNotMatch(text, LEAKS, `code ${code}`);
    kinds.add(JSON.parse(text).kind);
  }
  t.diagnostic(`came: ${[...kinds].join(', ')}`);
  assert.ok(
    kinds.has('model_failed') && kinds.has('model_timeout') && kinds.has('model_unavailable'),
    [...kinds].join(),
  );
});

test('H5: control characters and long texts of requests and sources are escaped and truncated in the log', async (t) => {
  const gateway = await start(t, () => ({}));
  const evil = '\x1b[2J\r\n\u009b31m\u202e{"level":"fatal"}';
  const origin = await startOrigin({
    '/away': (_request, response) => response.writeHead(302, { Location: `http://10.0.0.1/${'x'.repeat(6000)}` }).end(),
  });
  t.after(() => origin.close());
  const responses = [
    predict(gateway, { url: `http://example.com/${evil}` }),
    predict(gateway, { b64: jpeg }, `?model=${encodeURIComponent(evil)}`),
    predict(gateway, { b64: jpeg }, `?model=${'m'.repeat(10_000)}`),
    predict(gateway, { url: `${origin.url}/away` }),
    predict(gateway, { [`${evil}${'k'.repeat(1e6)}`]: 'x'.repeat(1e6) }),
  ];
  for (const response of await Promise.all(responses)) {
    const lines = await gateway.linesOf(response.headers.get('x-request-id'));
    assert.equal(lines.length, 1);
    assert.ok(JSON.stringify(lines).length < 20_000);
    assert.ok(response.status >= 400);
    assert.doesNotMatch(await response.text(), LEAKS);
  }
  assert.ok(gateway.log.every(({ level }) => level !== 'fatal'));
});

async function start(t: TestContext, onPredict: () => object | Promise<object>) {
  const model = await startClothingModel(onPredict);
  t.after(() => model.close());
  const settings = { TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t), FETCH_ALLOW_PRIVATE: 'true' };
  const gateway = await startGatewayFor(t, { ...settings, FETCH_DENY: '10.0.0.0/8' });
  await gateway.ready();
  return gateway;
}
