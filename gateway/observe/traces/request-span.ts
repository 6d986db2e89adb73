/** The span of a request, by OpenTelemetry's semantic conventions for HTTP and RPC (1.45). */
import type { Attributes, Span } from '../../domain/span.ts';
import type { Trace, TraceHeaders } from '../../domain/trace.ts';
import type { GatewayError } from '../../errors.ts';

/** What a request is known by when it arrives. */
export type Arrived = TraceHeaders & {
  /** The template of its path, the path of its gRPC method, or `none`. */
  readonly route: string;
  /** That of HTTP, or `gRPC`. */
  readonly method: string;
  readonly client?: string | undefined;
};

/** The trace of a request, and its span where it is recorded. */
export type Started = { readonly trace: Trace; readonly span: Span | undefined };

/** Starts the trace of a request, or continues that of the client. */
export type StartTrace = (arrived: Arrived) => Started;

/** `POST /predict`, `tensorflow.serving.PredictionService/Predict`, or the method alone where the route is unknown. */
export function spanName({ method, route }: Arrived): string {
  if (route === 'none') return method;
  return method === 'gRPC' ? route.slice(1) : `${method} ${route}`;
}

export function arrivalAttributes({ method, route, client }: Arrived): Attributes {
  const known = route === 'none' ? undefined : route;
  if (method !== 'gRPC') return { 'http.request.method': method, 'http.route': known, 'client.address': client };
  return { 'rpc.system.name': 'grpc', 'rpc.method': known?.slice(1), 'client.address': client };
}

/** gRPC's statuses that are a fault of the server, as the conventions list them. */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** Adds how the request ended. A request that the client got wrong is no failed span. */
export function describeEnd(
  span: Span,
  {
    method,
    status,
    failure,
  }: { readonly method: string; readonly status: number; readonly failure?: GatewayError | undefined },
): void {
  const isGrpc = method === 'gRPC';
  span.setAttributes({
    ...(isGrpc ? { 'rpc.status_code': failure?.grpcStatus ?? 'OK' } : { 'http.response.status_code': status }),
    'error.type': failure?.kind,
  });
  if (failure && (isGrpc ? SERVER_FAULTS.has(failure.grpcStatus) : status >= 500)) span.fail(failure);
}
