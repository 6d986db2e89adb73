/** A collector of traces: OTLP as protobuf over HTTP, and over gRPC. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { until } from '../until.ts';

type Attributes = Readonly<Record<string, unknown>>;

export type CollectedSpan = {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentId: string;
  readonly state: string;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly status: { readonly code: string; readonly message: string };
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Attributes of the service. */
  readonly resource: Attributes;
};

export type Collector = {
  readonly url: string;
  readonly grpcUrl: string;
  readonly spans: readonly CollectedSpan[];
  /** The spans of a trace, once its root or the span below the client's is there. Its children ended before. */
  traceOf(id: string): Promise<CollectedSpan[]>;
  close(): Promise<void>;
};

const SERVICE = 'opentelemetry.proto.collector.trace.v1.TraceService';
const service = loadSync(fileURLToPath(new URL('./trace.proto', import.meta.url)), {
  longs: String,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
})[SERVICE] as ServiceDefinition;

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const { Export } = service;
  if (!Export) throw new Error('trace.proto has no Export');
  const http = createServer(async (request, response) => {
    spans.push(...spansOf(Export.requestDeserialize(await buffer(request)) as Request));
    response.setHeader('Content-Type', 'application/x-protobuf').end(Export.responseSerialize({}));
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const grpc = new Server();
  grpc.addService(service, {
    Export({ request }: ServerUnaryCall<Request, object>, done: sendUnaryData<object>) {
      spans.push(...spansOf(request));
      done(null, {});
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const grpcPort = await promise;
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    spans,
    async traceOf(id) {
      const own = () => spans.filter(({ traceId }) => traceId === id);
      await until(() => own().some(({ kind }) => kind === 'SPAN_KIND_SERVER'));
      return own();
    },
    async close() {
      grpc.forceShutdown();
      http.closeAllConnections();
      await new Promise((done) => http.close(done));
    },
  };
}

type KeyValue = {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> & { readonly value: string };
};
type Request = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
};
type WireSpan = Record<'traceId' | 'spanId' | 'parentSpanId', Buffer> &
  Record<'name' | 'kind' | 'traceState' | 'startTimeUnixNano' | 'endTimeUnixNano', string> & {
    readonly attributes: readonly KeyValue[];
    readonly events: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[];
    readonly status: CollectedSpan['status'] | null;
  };

function spansOf({ resourceSpans }: Request): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        kind: span.kind,
        traceId: span.traceId.toString('hex'),
        spanId: span.spanId.toString('hex'),
        parentId: span.parentSpanId.toString('hex'),
        state: span.traceState,
        attributes: attributesOf(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: attributesOf(attributes) })),
        status: span.status ?? { code: 'STATUS_CODE_UNSET', message: '' },
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        resource: attributesOf(resource.attributes),
      })),
    ),
  );
}

/** Numbers, texts and booleans by their keys. int64 is a string in JavaScript. */
function attributesOf(attributes: readonly KeyValue[]): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.value === 'intValue' ? Number(value[value.value]) : value[value.value],
    ]),
  );
}
