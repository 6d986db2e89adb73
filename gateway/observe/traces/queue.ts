/** The queue between requests and the collector: bounded, and never waited for. */
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from '../../domain/request.ts';
import type { TraceExport } from '../../domain/trace-export.ts';

/** ExportResultCode.SUCCESS of @opentelemetry/core. */
const EXPORTED = 0;

/** What became of spans. */
export type SpanOutcome = 'exported' | 'queue_full' | 'export_failed';

export type QueueOptions = {
  readonly limits: Pick<TraceExport, 'maxQueued' | 'maxBatch' | 'delayMs' | 'exportTimeoutMs'>;
  readonly log: Log;
  readonly onOutcome: (outcome: SpanOutcome, spans: number) => void;
};

/** Hands ended spans to the exporter in batches, and counts what became of them. */
export function createQueue(exporter: SpanExporter, { limits, log, onOutcome }: QueueOptions): SpanProcessor {
  let queued = 0;
  const told = tellOnce(log);
  const counting: SpanExporter = {
    export(spans, done) {
      queued -= spans.length;
      exporter.export(spans, (result) => {
        const isFailing = result.code !== EXPORTED;
        onOutcome(isFailing ? 'export_failed' : 'exported', spans.length);
        told(isFailing, result.error);
        // The processor would report the failure a second time, by OpenTelemetry's own logger.
        done({ code: EXPORTED });
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: limits.maxQueued,
    maxExportBatchSize: Math.min(limits.maxBatch, limits.maxQueued),
    scheduledDelayMillis: limits.delayMs,
    exportTimeoutMillis: limits.exportTimeoutMs,
  });
  return {
    onStart: () => undefined,
    onEnd(span: ReadableSpan) {
      if (queued >= limits.maxQueued) return onOutcome('queue_full', 1);
      queued += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** Says once that traces are lost, and once that they are exported again. */
function tellOnce(log: Log): (isFailing: boolean, cause: unknown) => void {
  let wasFailing = false;
  return (isFailing, cause) => {
    if (isFailing === wasFailing) return;
    wasFailing = isFailing;
    if (isFailing) log.warn({ cause }, 'traces are lost: the collector does not take them');
    else log.info({}, 'traces are exported again');
  };
}
