/** Traces in a collector: parents through the gateway and its retries, attributes, sampling, and a collector that is gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { status } from '@grpc/grpc-js';
import { predict, predictImage, type RunningGateway, startGateway } from './gateway.ts';
import { GrpcClient, PREDICTION_SERVICE } from './grpc-client.ts';
import {
  EQUAL_SCORES,
  isWarmUp,
  type ModelServer,
  type OnPredict,
  startModelServer,
  XCEPTION,
} from './model-server.ts';
import { CARD, modelsFolder } from './models.ts';
import { type Origin, startOrigin } from './origin.ts';
import { type CollectedSpan, type Collector, startCollector } from './otlp/collector.ts';
import { until } from './until.ts';

const JPEG = await readFile(new URL('golden/images/jpg-420.jpg', import.meta.url));
const PARENT = 'b7ad6b7169203331';
const UNAVAILABLE = { code: status.UNAVAILABLE, details: 'restarting' };
/** Spans are exported soon, not after five seconds. */
const SOON = { OTEL_BSP_SCHEDULE_DELAY: '20' };

let model: ModelServer;
let origin: Origin;
let collector: Collector;
let settings: Record<string, string>;
let gateway: RunningGateway;
let sourceHeaders: object;
let onPredict: OnPredict = () => EQUAL_SCORES;

before(async (t) => {
  collector = await startCollector();
  origin = await startOrigin({
    '/a.jpg'(request, response) {
      sourceHeaders = request.headers;
      response.end(JPEG);
    },
  });
  model = await startModelServer({
    ...XCEPTION,
    version: 3,
    onPredict: (call) => (isWarmUp(call) ? EQUAL_SCORES : onPredict(call)),
  });
  settings = {
    TF_SERVING_HOST: model.target,
    MODELS: await modelsFolder(t as TestContext, { 'clothing-model': CARD }),
    FETCH_ALLOW_PRIVATE: 'true',
    GRPC_PORT: '0',
  };
  gateway = await startGateway({ ...settings, ...SOON, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await gateway.ready();
});

after(async () => {
  const code = await gateway.stop();
  model.close();
  await origin.close();
  await collector.close();
  assert.equal(code, 0);
});

/** A gateway of one test, which a failed test does not leave behind. */
async function start(t: TestContext, own: Record<string, string>): Promise<RunningGateway> {
  const started = await startGateway({ ...settings, ...SOON, ...own });
  t.after(() => started.process.kill('SIGKILL'));
  await started.ready();
  return started;
}

/** A trace of the client's for each request. */
let traces = 0;
function clientTrace(flags = '01') {
  traces += 1;
  const id = traces.toString(16).padStart(32, 'a');
  return { id, headers: { traceparent: `00-${id}-${PARENT}-${flags}`, tracestate: 'shop=cart,x=1' } };
}

/** The headers of traces that the model server got with the calls of a trace. */
const callsOf = (id: string) =>
  model.calls
    .map(({ raw }) => [String(raw.metadata.get('traceparent')), String(raw.metadata.get('tracestate'))] as const)
    .filter(([traceparent]) => traceparent.includes(id));

/** A trace with one server span: each span by its name. */
async function spansByName(id: string) {
  const spans = await collector.traceOf(id);
  return Object.fromEntries(spans.map((span) => [span.name, span])) as Record<string, CollectedSpan>;
}

test('a picture by URL has spans for fetch, decode and predict below that of the request, with its parent', async () => {
  const { id, headers } = clientTrace();
  const answer = await fetch(`${gateway.url}/predict`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json', 'X-Request-Id': 'one' },
    body: JSON.stringify({ url: `${origin.url}/a.jpg?token=secret` }),
  });
  assert.equal(answer.status, 200);
  const spans = await collector.traceOf(id);
  assert.deepEqual(spans.map(({ name, kind }) => `${name} ${kind}`).sort(), [
    'POST /predict SPAN_KIND_SERVER',
    'decode SPAN_KIND_INTERNAL',
    'fetch SPAN_KIND_CLIENT',
    'predict SPAN_KIND_CLIENT',
  ]);
  const { 'POST /predict': server, fetch: fetched, decode, predict: predicted } = await spansByName(id);
  assert.ok(server && fetched && decode && predicted);
  assert.equal(server.parentId, PARENT);
  for (const child of [fetched, decode, predicted]) {
    assert.equal(child.parentId, server.spanId);
    assert.ok(child.startNs >= server.startNs && child.endNs >= child.startNs && child.endNs <= server.endNs);
  }
  assert.deepEqual(server.attributes, {
    'http.request.method': 'POST',
    'http.route': '/predict',
    'http.response.status_code': 200,
    'client.address': '127.0.0.1',
    'tensorgate.request_id': 'one',
    'tensorgate.model': 'clothing-model',
    'tensorgate.version': 3,
  });
  assert.deepEqual(fetched.attributes, {
    'tensorgate.field': 'url',
    'server.address': new URL(origin.url).host,
    'tensorgate.bytes': JPEG.length,
  });
  assert.deepEqual(decode.attributes, {
    'tensorgate.field': 'url',
    'tensorgate.bytes': JPEG.length,
    'tensorgate.decoder': 'jpeg',
  });
  const {
    'tensorgate.request_bytes': requestBytes,
    'tensorgate.response_bytes': responseBytes,
    ...rest
  } = predicted.attributes;
  assert.ok(Number(requestBytes) > 299 * 299 * 3 * 4 && Number(responseBytes) > 40);
  assert.deepEqual(rest, {
    'rpc.system.name': 'grpc',
    'rpc.method': 'tensorflow.serving.PredictionService/Predict',
    'rpc.status_code': 'OK',
    'tensorgate.model': 'clothing-model',
    'tensorgate.version': 3,
  });
  assert.deepEqual(predicted.events, [{ name: 'attempt', attributes: { 'network.peer.address': model.target } }]);
  assert.deepEqual(callsOf(id), [[`00-${id}-${predicted.spanId}-01`, 'shop=cart,x=1']]);
  assert.ok(spans.every(({ state }) => state === 'shop=cart,x=1'));
  assert.deepEqual(
    [server.resource['service.name'], server.resource['telemetry.sdk.language']],
    ['tensorgate', 'nodejs'],
  );
  assert.ok(!Object.keys(sourceHeaders).some((name) => name.startsWith('trace')), 'a source learns no trace');
  const lines = await gateway.linesOf('one');
  assert.ok(lines.length > 0 && lines.every(({ traceId }) => traceId === id));
});

test('a retry is an event, and both attempts have the span as their parent', async (t) => {
  let attempts = 0;
  onPredict = () => {
    attempts += 1;
    if (attempts === 1) throw UNAVAILABLE;
    return EQUAL_SCORES;
  };
  t.after(() => {
    onPredict = () => EQUAL_SCORES;
  });
  const { id, headers } = clientTrace();
  const answer = await predictImage(gateway, JPEG, headers);
  assert.equal(answer.status, 200, await answer.text());
  const { predict: predicted } = await spansByName(id);
  assert.ok(predicted);
  const peer = { 'network.peer.address': model.target };
  assert.deepEqual(predicted.events, [
    { name: 'attempt', attributes: peer },
    { name: 'retry', attributes: { 'tensorgate.reason': 'unavailable' } },
    { name: 'attempt', attributes: peer },
  ]);
  assert.deepEqual([predicted.status.code, predicted.attributes['rpc.status_code']], ['STATUS_CODE_UNSET', 'OK']);
  const parent = `00-${id}-${predicted.spanId}-01`;
  assert.deepEqual(
    callsOf(id).map(([traceparent]) => traceparent),
    [parent, parent],
  );
});

test('a failure of the model fails its span and that of the request; a mistake of the client fails neither', async (t) => {
  onPredict = () => {
    throw { code: status.INTERNAL, details: 'secret: /models/1' };
  };
  t.after(() => {
    onPredict = () => EQUAL_SCORES;
  });
  const broken = clientTrace();
  const answer = await predictImage(gateway, JPEG, broken.headers);
  const problem = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual([problem.trace_id, answer.headers.get('x-trace-id')], [broken.id, broken.id]);
  const failed = await spansByName(broken.id);
  for (const name of ['predict', 'POST /predict']) {
    const { status: ended, attributes } = failed[name] ?? assert.fail(name);
    assert.deepEqual(
      [ended.code, attributes['error.type'], ended.message],
      ['STATUS_CODE_ERROR', problem.kind, problem.detail],
    );
  }
  assert.equal(failed.predict?.attributes['rpc.status_code'], 'INTERNAL');
  assert.equal(failed.decode?.status.code, 'STATUS_CODE_UNSET');
  assert.doesNotMatch(
    JSON.stringify(Object.values(failed).map(({ attributes, status }) => [attributes, status])),
    /secret/,
  );

  const wrong = clientTrace();
  const refused = await predictImage(gateway, Buffer.from('hello'), wrong.headers);
  assert.equal(refused.status, 422);
  const spans = await spansByName(wrong.id);
  const { status: ended, attributes } = spans['POST /predict'] ?? assert.fail();
  assert.deepEqual([ended.code, attributes['http.response.status_code']], ['STATUS_CODE_UNSET', 422]);
  assert.equal(attributes['error.type'], ((await refused.json()) as { kind: string }).kind);
  assert.equal(spans.decode?.status.code, 'STATUS_CODE_ERROR');
});

test('a request that waits has a span for the queue', async (t) => {
  const answered = Promise.withResolvers<object>();
  onPredict = () => answered.promise;
  t.after(() => {
    onPredict = () => EQUAL_SCORES;
  });
  const own = await start(t, { MAX_IN_FLIGHT: '1', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const first = clientTrace();
  const second = clientTrace();
  const calls = model.calls.length;
  const answers = [predictImage(own, JPEG, first.headers)];
  await until(() => model.calls.length > calls);
  answers.push(predictImage(own, JPEG, second.headers));
  await until(async () => (await own.metrics()).includes('\ntensorgate_requests_queued 1\n'));
  answered.resolve(EQUAL_SCORES);
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200);
  assert.equal((await spansByName(first.id)).queue, undefined);
  const { queue, decode, 'POST /predict': server } = await spansByName(second.id);
  assert.ok(queue && decode && server);
  assert.deepEqual([queue.parentId, queue.kind], [server.spanId, 'SPAN_KIND_INTERNAL']);
  assert.ok(queue.startNs >= server.startNs && queue.endNs <= decode.startNs);
  assert.match(await own.metrics(), /^tensorgate_stage_duration_seconds_count\{stage="queue"\} 1$/m);
});

test('a call over gRPC has the name and attributes of its method, and a failure has the trace in its metadata', async (t) => {
  const client = new GrpcClient(gateway.grpcTarget);
  t.after(() => client.close());
  const { id, headers } = clientTrace();
  const input = { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: 1 }] }, float_val: [7] };
  const request = { model_spec: { name: 'clothing-model' }, inputs: { input_8: input } };
  await client.call(PREDICTION_SERVICE, 'Predict', request, { metadata: headers });
  const spans = await spansByName(id);
  const method = 'tensorflow.serving.PredictionService/Predict';
  const server = spans[method] ?? assert.fail(Object.keys(spans).join());
  assert.deepEqual(server.attributes, {
    'rpc.system.name': 'grpc',
    'rpc.method': method,
    'rpc.status_code': 'OK',
    'client.address': '127.0.0.1',
    'tensorgate.request_id': server.attributes['tensorgate.request_id'],
    'tensorgate.model': 'clothing-model',
    'tensorgate.version': 3,
  });
  assert.equal(spans.predict?.parentId, server.spanId);
  assert.deepEqual(callsOf(id), [[`00-${id}-${spans.predict.spanId}-01`, headers.tracestate]]);

  const unknown = clientTrace();
  const call = client.call(
    PREDICTION_SERVICE,
    'Predict',
    { model_spec: { name: 'clothing-model', signature_name: 'no' } },
    { metadata: unknown.headers },
  );
  await assert.rejects(call, (error: { metadata?: { get(name: string): unknown[] } }) => {
    assert.deepEqual(error.metadata?.get('x-trace-id'), [unknown.id]);
    return true;
  });
  const refused = (await spansByName(unknown.id))[method];
  assert.deepEqual(
    [refused?.attributes['rpc.status_code'], refused?.status.code],
    ['INVALID_ARGUMENT', 'STATUS_CODE_UNSET'],
  );
});

test('the form of other protocols has no room for the trace: a header has it', async () => {
  for (const route of ['/v1/models/no:predict', '/v2/models/no/infer']) {
    const { id, headers } = clientTrace();
    const answer = await fetch(`${gateway.url}${route}`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: '{"instances": [1], "inputs": []}',
    });
    assert.ok(answer.status >= 400);
    assert.deepEqual(Object.keys((await answer.json()) as object), ['error']);
    assert.equal(answer.headers.get('x-trace-id'), id);
  }
});

test('the histograms name a recorded trace in OpenMetrics', async () => {
  const { id, headers } = clientTrace();
  await predictImage(gateway, JPEG, headers);
  await collector.traceOf(id);
  const answer = await fetch(`${gateway.adminUrl}/metrics`, { headers: { Accept: 'application/openmetrics-text' } });
  const examples = [...(await answer.text()).matchAll(/^(\w+)_bucket\{.* # \{trace_id="([\da-f]{32})"\}/gm)];
  const named = new Set(examples.filter(([, , trace]) => trace === id).map(([, name]) => name));
  assert.deepEqual([...named].sort(), ['tensorgate_request_duration_seconds', 'tensorgate_stage_duration_seconds']);
});

test('a sampler of share 0 records what the client records, by the name of the service, over gRPC', async (t) => {
  const own = await start(t, {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.grpcUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  });
  const unrecorded = clientTrace('00');
  const recorded = clientTrace('01');
  await predictImage(own, JPEG);
  await predictImage(own, JPEG, unrecorded.headers);
  await predictImage(own, JPEG, recorded.headers);
  const [span] = await collector.traceOf(recorded.id);
  assert.deepEqual([span?.resource['service.name'], span?.resource['deployment.environment.name']], ['shop', 'test']);
  assert.equal(await own.stop(), 0);
  assert.deepEqual(
    [
      ...new Set(
        collector.spans.filter(({ resource }) => resource['service.name'] === 'shop').map(({ traceId }) => traceId),
      ),
    ],
    [recorded.id],
  );
  const [[traceparent = ''] = []] = callsOf(unrecorded.id);
  assert.match(traceparent, new RegExp(`^00-${unrecorded.id}-[\\da-f]{16}-00$`));
});

test('a collector that hangs costs no request, more spans than may wait are dropped, and the log tells it once', async (t) => {
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.after(() => hanging.close());
  const own = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    OTEL_BSP_MAX_QUEUE_SIZE: '8',
  });
  // 30 spans: eight are on their way, eight wait.
  for (let sent = 0; sent < 10; sent += 1) assert.equal((await predictImage(own, JPEG)).status, 200);
  const outcomes = async () => {
    const lines = (await own.metrics()).matchAll(/^tensorgate_trace_spans_total\{outcome="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
  };
  await until(async () => {
    const { export_failed: failed = 0, queue_full: dropped = 0 } = await outcomes();
    return failed > 8 && dropped > 0 && failed + dropped === 30;
  });
  assert.equal(own.log.filter(({ msg }) => /traces are lost/.test(String(msg))).length, 1);
  // The last span has a second to be exported, of the two that the end may take.
  await predictImage(own, JPEG);
  assert.equal(await own.stop(), 0);
});

/** Has every module that a process loads written to a file, one URL a line. */
const LISTING = (file: string) => `
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      appendFileSync(${JSON.stringify(file)}, url + '\\n');
      return next(url, context);
    },
  });`;

// prom-client loads @opentelemetry/api, for exemplars.
test('without its variables nothing of OpenTelemetry is loaded, and the trace of the client is passed on as it is', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'traces-'));
  t.after(() => rm(folder, { recursive: true }));
  const loadedWith = async (name: string, variables: Record<string, string>) => {
    const file = path.join(folder, name);
    const hooks = `data:text/javascript,${encodeURIComponent(LISTING(file))}`;
    const own = await start(t, { ...variables, NODE_OPTIONS: `--import ${JSON.stringify(hooks)}` });
    const { id, headers } = clientTrace();
    assert.equal((await predictImage(own, JPEG, headers)).status, 200);
    assert.equal(await own.stop(), 0);
    const urls = (await readFile(file, 'utf8')).split('\n');
    assert.ok(urls.includes(pathToFileURL(path.resolve('gateway/main.ts')).href));
    return { id, headers, loaded: urls.filter((url) => /\/@opentelemetry\/(?!api\/)/.test(url)) };
  };
  const off = await loadedWith('off', {});
  assert.deepEqual(off.loaded, []);
  assert.deepEqual(callsOf(off.id), [[off.headers.traceparent, off.headers.tracestate]]);
  const disabled = await loadedWith('disabled', {
    OTEL_SDK_DISABLED: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  assert.deepEqual(disabled.loaded, []);
  const on = await loadedWith('on', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  assert.ok(on.loaded.length > 10);
});

test('a variable with a wrong value is told, and its default holds', async (t) => {
  const own = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  });
  const told = own.log.map(({ msg }) => String(msg)).filter((text) => text.startsWith('OTEL_'));
  assert.deepEqual(told.map((text) => text.replace(/: needs .*/, '')).sort(), [
    'OTEL_EXPORTER_OTLP_PROTOCOL=http/json has no effect',
    'OTEL_TRACES_SAMPLER=sometimes has no effect',
  ]);
  const answer = await predict(own, { url: 'nonsense' });
  await collector.traceOf(((await answer.json()) as { trace_id: string }).trace_id);
});
