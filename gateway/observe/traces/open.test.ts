import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { openTracing } from './open.ts';

const SETTINGS = {
  protocol: 'http/protobuf',
  sampler: 'always_on',
  ratio: 1,
  maxQueued: 10,
  maxBatch: 10,
  delayMs: 10_000,
  exportTimeoutMs: 20,
} as const;

test('a collector that hangs does not fail the end of the process', async (t) => {
  const hanging = createServer((socket) => void t.after(() => socket.destroy())).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.after(() => hanging.close());
  // The exporter reads its own variables.
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
  process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '500';
  const lines: string[] = [];
  const tell = (_fields: object, text: string) => void lines.push(text);
  const tracing = await openTracing({
    settings: SETTINGS,
    log: { debug: tell, info: tell, warn: tell, error: tell },
  });
  const { span } = tracing.start({ route: '/a', method: 'GET', traceparent: undefined, tracestate: undefined });
  assert.ok(span);
  span.end();
  await tracing.close();
  assert.deepEqual(lines, ['the last traces are lost']);
});
