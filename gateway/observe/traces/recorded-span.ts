/** A span of OpenTelemetry's SDK as the gateway's stages know it. */
import {
  type HrTime,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Span } from '../../domain/span.ts';
import type { Trace } from '../../domain/trace.ts';
import { asGatewayError } from '../../errors.ts';

/** `clock`: that of the request. */
export function recordedSpan(tracer: Tracer, span: SdkSpan, clock: () => HrTime): Span {
  return {
    get trace() {
      return traceOf(span);
    },
    startChild(name, kind) {
      const options = { kind: kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL, startTime: clock() };
      return recordedSpan(tracer, tracer.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, span)), clock);
    },
    setAttributes(attributes) {
      for (const [name, value] of Object.entries(attributes)) if (value !== undefined) span.setAttribute(name, value);
    },
    addEvent: (name, attributes = {}) => void span.addEvent(name, attributes, clock()),
    fail(thrown) {
      // Only the public text: other people may run the collector.
      const { kind, message } = asGatewayError(thrown);
      span.setAttribute('error.type', kind).setStatus({ code: SpanStatusCode.ERROR, message });
    },
    end: () => span.end(clock()),
  };
}

/** The trace with the span as the parent of what is called. */
export function traceOf(span: SdkSpan): Trace {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const isSampled = (traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
  return { id: traceId, spanId, isSampled, state: traceState?.serialize() || undefined };
}
