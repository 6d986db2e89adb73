import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { createQueue, type SpanOutcome } from './queue.ts';

type Result = Parameters<SpanExporter['export']>[1];

/** A queue of `maxQueued` spans before an exporter whose exports the test ends. */
function queueOf({ maxQueued = 4, maxBatch = 2 }) {
  const exports: { readonly spans: readonly ReadableSpan[]; readonly done: Result }[] = [];
  const counts: Partial<Record<SpanOutcome, number>> = {};
  const lines: string[] = [];
  const tell = (_fields: object, text: string) => void lines.push(text);
  const queue = createQueue(
    { export: (spans, done) => void exports.push({ spans, done }), shutdown: async () => undefined },
    {
      limits: { maxQueued, maxBatch, delayMs: 1e6, exportTimeoutMs: 1000 },
      log: { debug: tell, info: tell, warn: tell, error: tell },
      onOutcome: (outcome, spans) => {
        counts[outcome] = (counts[outcome] ?? 0) + spans;
      },
    },
  );
  const tracer = new TracerProvider({ spanProcessors: [queue] }).getTracer('test');
  return {
    exports,
    counts,
    lines,
    end(spans: number) {
      for (let ended = 0; ended < spans; ended += 1) tracer.startSpan('span').end();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('spans that find the queue full are dropped and counted, and there is room again after an export', async () => {
  const { exports, counts, end } = queueOf({});
  end(2); // a batch: it is on its way
  end(6); // four wait
  assert.deepEqual([exports.length, counts], [1, { queue_full: 2 }]);
  exports[0]?.done({ code: 0 });
  await turn();
  assert.deepEqual([exports.length, counts], [2, { queue_full: 2, exported: 2 }]);
  end(3);
  assert.deepEqual(counts, { queue_full: 3, exported: 2 });
});

test('the log tells the first export that failed, and the first one that did not after it', async () => {
  const { exports, counts, lines, end } = queueOf({ maxBatch: 1 });
  for (const code of [0, 1, 1, 1, 0, 0, 1]) {
    end(1);
    exports.at(-1)?.done({ code });
    await turn();
  }
  assert.deepEqual(counts, { exported: 3, export_failed: 4 });
  assert.deepEqual(lines, [
    'traces are lost: the collector does not take them',
    'traces are exported again',
    'traces are lost: the collector does not take them',
  ]);
});
