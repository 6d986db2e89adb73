import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceVariables } from './traces.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const DEFAULTS = {
  protocol: 'http/protobuf',
  sampler: 'parentbased_always_on',
  ratio: 1,
  maxQueued: 2048,
  maxBatch: 512,
  delayMs: 5000,
  exportTimeoutMs: 30_000,
};

for (const env of [
  {},
  { OTEL_SERVICE_NAME: 'gateway', OTEL_TRACES_SAMPLER: 'always_on' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
  { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
  { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
  { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318' },
]) {
  test(`${JSON.stringify(env)} asks for no traces`, () => {
    assert.deepEqual(traceVariables(env), { traces: undefined, mistakes: [] });
  });
}

for (const env of [
  ENDPOINT,
  { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' },
  { OTEL_TRACES_EXPORTER: 'otlp' },
  { ...ENDPOINT, OTEL_SDK_DISABLED: 'false', OTEL_TRACES_SAMPLER: '', OTEL_TRACES_SAMPLER_ARG: '0.5' },
]) {
  test(`${JSON.stringify(env)} asks for traces with the defaults of the specification`, () => {
    assert.deepEqual(traceVariables(env), { traces: DEFAULTS, mistakes: [] });
  });
}

test('every variable counts, and that of traces before that of all signals', () => {
  const { traces, mistakes } = traceVariables({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BSP_EXPORT_TIMEOUT: '200',
  });
  const own = { protocol: 'grpc', sampler: 'traceidratio', ratio: 0.1, maxQueued: 10, maxBatch: 5, delayMs: 100 };
  assert.deepEqual([traces, mistakes], [{ ...own, exportTimeoutMs: 200 }, []]);
});

test('a wrong value is told by its variable and what it needs, and its default holds', () => {
  const { traces, mistakes } = traceVariables({
    ...ENDPOINT,
    OTEL_TRACES_EXPORTER: 'otlp, zipkin',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '10%',
    OTEL_BSP_SCHEDULE_DELAY: '-1',
  });
  assert.deepEqual(traces, { ...DEFAULTS, sampler: 'parentbased_traceidratio' });
  assert.deepEqual(mistakes, [
    'OTEL_TRACES_EXPORTER=otlp, zipkin has no effect: needs otlp or none',
    'OTEL_EXPORTER_OTLP_PROTOCOL=http/json has no effect: needs http/protobuf, grpc',
    'OTEL_TRACES_SAMPLER_ARG=10% has no effect: needs a number from 0 to 1',
    'OTEL_BSP_SCHEDULE_DELAY=-1 has no effect: needs a number from 1 to 1000000000',
  ]);
});
