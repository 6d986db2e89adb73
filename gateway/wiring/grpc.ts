/** Makes the gRPC server of GRPC_PORT with its protocols. */
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { RequestContext } from '../domain/request.ts';
import type { HoldBody } from '../door/body-memory.ts';
import type { Trusts } from '../door/client-address.ts';
import type { Pass } from '../door/door.ts';
import type { HoldAnswer } from '../door/unread-answers.ts';
import { createGrpcDoor } from '../grpc/door.ts';
import { healthMethods } from '../grpc/health.ts';
import type { Methods } from '../grpc/method.ts';
import { createGrpcServer, type GrpcServer } from '../grpc/server.ts';
import type { DescriptorPlan } from '../machine/descriptors.ts';
import { provenStatuses } from '../model/proven-statuses.ts';
import type { Metrics } from '../observe/metrics.ts';
import { infer } from '../pipeline/infer.ts';
import { relay } from '../pipeline/relay.ts';
import { OPEN_INFERENCE_SERVICES, openInferenceMethods } from '../protocol/open-inference-grpc/routes.ts';
import { TF_SERVING_SERVICES, tfServingMethods } from '../protocol/tf-serving-grpc/routes.ts';
import { openInferenceOptions } from './open-inference.ts';
import { checked, tlsFiles } from './settings.ts';
import type { Line } from './stages.ts';

export type GrpcOptions = {
  readonly config: Config;
  readonly log: Logger;
  readonly line: Line;
  readonly descriptors: DescriptorPlan;
  readonly metrics: Metrics;
};

/** What it shares with the HTTP servers. */
export type SharedParts = {
  readonly pass: Pass;
  readonly hold: HoldBody;
  readonly holdAnswer: HoldAnswer;
  readonly trusts: Trusts;
  /** Throws if a request cannot be admitted. */
  readonly check: (context: RequestContext) => void;
  readonly isReady: () => boolean;
};

/** Makes the server; it listens nowhere yet. Throws ConfigError for a certificate that cannot be read. */
export function openGrpc(options: GrpcOptions, shared: SharedParts): GrpcServer {
  const { config, descriptors, log } = options;
  const { pass, hold, holdAnswer, trusts, isReady } = shared;
  const services = [...TF_SERVING_SERVICES, ...OPEN_INFERENCE_SERVICES];
  const onCall = createGrpcDoor({
    pass,
    hold,
    holdAnswer,
    trusts,
    maxMessageBytes: config.maxBodyBytes,
    idleMs: config.requestTimeoutMs,
    methods: methodsOf(options, shared),
    openMethods: healthMethods(services, isReady),
  });
  const { maxGrpcConnections: maxConnections } = descriptors;
  const files = tlsFiles(config);
  return checked(
    () => createGrpcServer(onCall, { maxConnections, tls: files && { files, log } }),
    'TLS_CERT_FILE, TLS_KEY_FILE',
  );
}

function methodsOf(options: GrpcOptions, parts: SharedParts): Methods {
  const { stages, watch } = options.line;
  return {
    ...tfServingMethods({
      check: parts.check,
      resolve: stages.route.resolve,
      statuses(model) {
        const versions = (watch.model(model) ?? watch.discovery.get(model))?.versions;
        return versions ? provenStatuses(versions) : [];
      },
      relay: (request, context) => relay(stages, request, context),
      infer: (request, context) => infer(stages, request, context),
    }),
    ...openInferenceMethods({
      ...openInferenceOptions(options, parts),
      relay: async (request, context) => (await relay(stages, request, context)).message,
    }),
  };
}
