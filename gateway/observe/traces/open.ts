/** Traces by OpenTelemetry. This file and what it imports are loaded only where the environment asks for traces. */
import { createTraceState, DiagLogLevel, diag, ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Log } from '../../domain/request.ts';
import { clientTrace, type Trace } from '../../domain/trace.ts';
import type { TraceExport } from '../../domain/trace-export.ts';
import { VERSION } from '../../domain/version.ts';
import { startClock } from './clock.ts';
import { createQueue, type SpanOutcome } from './queue.ts';
import { recordedSpan, traceOf } from './recorded-span.ts';
import { arrivalAttributes, type StartTrace, spanName } from './request-span.ts';
import { samplerOf } from './sampler.ts';

/** The end of the process waits so long for the last spans. */
const CLOSE_MS = 2000;

export type Tracing = {
  readonly start: StartTrace;
  /** Has the outcomes of spans counted from now on. */
  onOutcome(count: (outcome: SpanOutcome, spans: number) => void): void;
  /** Exports what is queued, within two seconds. */
  close(): Promise<void>;
};

export type TracingOptions = {
  readonly settings: TraceExport;
  readonly log: Log;
};

/**
 * Opens the exporter. It reads `OTEL_EXPORTER_OTLP_*` itself: endpoint, headers, certificates, compression, timeout. The service's name is
 * that of `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES`, else `tensorgate`.
 */
export async function openTracing({ settings, log }: TracingOptions): Promise<Tracing> {
  let count: (outcome: SpanOutcome, spans: number) => void = () => undefined;
  const exporter = await openExporter(settings.protocol, log);
  const own = resourceFromAttributes({ 'service.name': 'tensorgate', 'service.version': VERSION });
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(own)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(settings),
    spanProcessors: [
      createQueue(exporter, { limits: settings, log, onOutcome: (outcome, spans) => count(outcome, spans) }),
    ],
  });
  const tracer = provider.getTracer('tensorgate', VERSION);
  return {
    start(arrived) {
      const clock = startClock();
      const options = { kind: SpanKind.SERVER, attributes: arrivalAttributes(arrived), startTime: clock() };
      const span = tracer.startSpan(spanName(arrived), options, parentOf(clientTrace(arrived)));
      return { trace: traceOf(span), span: span.isRecording() ? recordedSpan(tracer, span, clock) : undefined };
    },
    onOutcome(given) {
      count = given;
    },
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_MS);
      const exported = provider.shutdown().catch((cause: unknown) => log.warn({ cause }, 'the last traces are lost'));
      await Promise.race([exported, late]);
      clearTimeout(timer);
    },
  };
}

function parentOf(client: Trace | undefined) {
  if (!client) return ROOT_CONTEXT;
  const { id: traceId, spanId, isSampled, state } = client;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(state !== undefined && { traceState: createTraceState(state) }),
    isRemote: true,
  });
}

/** Only the exporter of the protocol is loaded. What it finds wrong in its variables is in the log. */
async function openExporter(protocol: TraceExport['protocol'], log: Log): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  const warn = (text: string) => log.warn({}, text);
  const ignore = () => undefined;
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
  try {
    return new OTLPTraceExporter();
  } finally {
    diag.disable();
  }
}
