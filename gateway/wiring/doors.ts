/** Makes the servers: the service on PORT with its protocols, the gRPC port, and the admin port. */
import type { Server } from 'node:http';
import type { Server as Listener } from 'node:net';
import type { Logger } from 'pino';
import { openAccess } from '../access/open.ts';
import type { Config } from '../config/schema.ts';
import type { RequestContext } from '../domain/request.ts';
import { boundBodyMemory, type HoldBody } from '../door/body-memory.ts';
import { createCallers } from '../door/callers.ts';
import type { Trusts } from '../door/client-address.ts';
import { createPass, type Pass } from '../door/door.ts';
import type { Lifecycle } from '../door/lifecycle.ts';
import { createAdmin } from '../http/admin.ts';
import { type BodyReader, createBodyReader } from '../http/body.ts';
import { createDoor } from '../http/door.ts';
import { drainable } from '../http/draining.ts';
import { createHealth } from '../http/health.ts';
import { createJsonCodec, type JsonCodec } from '../http/json/codec.ts';
import { refuseMalformed } from '../http/malformed.ts';
import { modelsRoutes } from '../http/models.ts';
import { createLimitedServer } from '../http/server.ts';
import { createService } from '../http/service.ts';
import type { DescriptorPlan } from '../machine/descriptors.ts';
import type { MemoryPlan } from '../machine/memory-plan.ts';
import { type ListedModel, listModels } from '../model/list.ts';
import { mergedStatuses } from '../model/statuses.ts';
import { countPictures, type Metrics } from '../observe/metrics.ts';
import { classify } from '../pipeline/classify.ts';
import { infer } from '../pipeline/infer.ts';
import { predictPictures } from '../pipeline/pictures.ts';
import { findRecordsModel, predictRecords } from '../pipeline/records.ts';
import { invocationsRoutes } from '../protocol/invocations/routes.ts';
import { openInferenceRestRoutes } from '../protocol/open-inference-rest/routes.ts';
import { type PredictOptions, predictRoutes } from '../protocol/predict/routes.ts';
import { type TfServingRestOptions, tfServingRestRoutes } from '../protocol/tf-serving-rest/routes.ts';
import { openGrpc } from './grpc.ts';
import { openInferenceOptions } from './open-inference.ts';
import { checked, tlsFiles } from './settings.ts';
import type { Line } from './stages.ts';

/** Node's timeout for a whole request comes this much after the deadline: until then the gateway's own 408 is sent. */
const LATE_BODY_MS = 1000;

export type DoorsOptions = {
  readonly config: Config;
  readonly log: Logger;
  readonly line: Line;
  readonly plan: MemoryPlan;
  readonly descriptors: DescriptorPlan;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** Takes what has to be closed with the gateway. */
  readonly opened: DisposableStack;
};

/** `grpc` is absent without GRPC_PORT. */
export type Doors = { readonly service: Server; readonly admin: Server; readonly grpc?: Listener };

/** Makes the servers; they listen nowhere yet. Throws ConfigError for a setting that a part refuses. */
export function openDoors(options: DoorsOptions): Doors {
  const { config, log, line, plan, descriptors, metrics, lifecycle } = options;
  const { maxConnections, maxAdminConnections } = descriptors;
  const { requestTimeoutMs, trustedProxies, corsOrigins = [], tlsCertFile } = config;
  const shared = openShared(options);
  const isClosing = () => lifecycle.isDraining() || plan.memory.state !== 'ok';
  const door = createDoor(shared.pass, isClosing);
  const { states } = line.watch;
  const isReady = () => !lifecycle.isDraining() && states.readiness.ready && line.decodingProblem() === undefined;
  const list = () => listServed(line);
  const predict = predictOptions(options, shared);
  const { readBody, codec, check } = shared;
  const { aipHealthRoute, aipPredictRoute: predictRoute } = config;
  const protocols = [
    // First: Vertex AI may choose a path of another protocol, such as /predict.
    invocationsRoutes(door, { ...predict, ...predict.records, predictRoute }),
    predictRoutes(door, predict),
    tfServingRestRoutes(door, tfServingRestOptions(options, shared)),
    openInferenceRestRoutes(door, {
      ...openInferenceOptions(options, { check, isReady }),
      readBody,
      write: codec.write,
    }),
    modelsRoutes(door, list),
  ];
  const healthParts = { lifecycle, states, decodingProblem: line.decodingProblem };
  const healthAliases = ['/ping', ...(aipHealthRoute === undefined ? [] : [aipHealthRoute])];
  const health = createHealth({ ...healthParts, aliases: healthAliases, withDetails: false });
  const hasTls = tlsCertFile !== undefined;
  const service = checked(
    () => createService({ door, protocols, health, healthAliases, trustedProxies, corsOrigins, hasTls }),
    'TRUSTED_PROXIES',
  );
  const limits = { requestTimeoutMs: requestTimeoutMs + LATE_BODY_MS, log };
  const server = checked(
    () => createLimitedServer(service, { ...limits, maxConnections, tls: tlsFiles(config) }),
    'TLS_CERT_FILE, TLS_KEY_FILE',
  );
  const admin = createLimitedServer(
    createAdmin({ metrics, health: createHealth({ ...healthParts, withDetails: true }), log }),
    { ...limits, maxConnections: maxAdminConnections },
  );
  lifecycle.add(drainable(server));
  lifecycle.add(drainable(admin));
  const servers = { service: refuseMalformed(server, { log, metrics }), admin };
  if (config.grpcPort === undefined) return servers;
  // Express makes this function of TRUSTED_PROXIES.
  const trusts: Trusts = service.get('trust proxy fn');
  const { listener: grpc, drainable: ofGrpc } = openGrpc(options, { ...shared, trusts, isReady });
  lifecycle.add(ofGrpc);
  return { ...servers, grpc };
}

/** The models with a model.yaml, then those without. */
function listServed({ watch }: Line): ListedModel[] {
  const { cards, states, discovery } = watch;
  return [
    ...listModels({ cards, states: states.all, versions: (name) => watch.model(name)?.versions }),
    ...listModels({
      cards: discovery.cards,
      states: discovery.states,
      versions: (name) => discovery.get(name)?.versions,
    }),
  ];
}

/** What the requests of all transports share. */
type Shared = {
  readonly pass: Pass;
  readonly hold: HoldBody;
  readonly readBody: BodyReader;
  readonly codec: JsonCodec;
  /** Refuses a request before its body is read. */
  readonly check: (context: RequestContext) => void;
};

function openShared({ config, line: { stages }, log, plan, metrics, opened }: DoorsOptions): Shared {
  const { apiKeysFile: keysFile, redisUrl, rateLimit: rate, requestTimeoutMs: timeoutMs } = config;
  const { maxBodyBytes, maxImageBytes, maxInstances } = config;
  const access = checked(() => openAccess({ keysFile, redisUrl, log }), 'API_KEYS_FILE');
  opened.defer(() => access.close());
  const callers = createCallers({ keys: access.keys, limits: access.limits, rate });
  const hold = boundBodyMemory(plan.maxHeldBytes);
  const codec = createJsonCodec(plan.maxJsonBytes);
  opened.defer(() => codec.close());
  return {
    pass: createPass({ callers, timeoutMs, log, metrics }),
    hold,
    codec,
    readBody: createBodyReader({ maxBodyBytes, maxImageBytes, maxInstances, hold, codec }),
    check(context) {
      plan.memory.check();
      stages.admission.check(context);
    },
  };
}

function predictOptions(
  { config: { maxInstances, maxBodyBytes }, line: { stages }, metrics }: DoorsOptions,
  { readBody, codec, check }: Shared,
): PredictOptions {
  return {
    readBody,
    maxInstances,
    check,
    records: {
      write: codec.write,
      maxBodyBytes,
      find: (servable, context) => findRecordsModel(stages, servable, context),
      predict: (request, context) => predictRecords(stages, request, context),
    },
    async classify(request, context) {
      const classification = await classify(stages, request, context);
      countPictures(metrics, classification);
      return classification;
    },
  };
}

function tfServingRestOptions(
  { config: { maxInstances }, line: { stages, watch }, metrics }: DoorsOptions,
  { readBody, codec, check }: Shared,
): TfServingRestOptions {
  return {
    readBody,
    write: codec.write,
    maxInstances,
    check,
    resolve: stages.route.resolve,
    statuses(model) {
      const versions = (watch.model(model) ?? watch.discovery.get(model))?.versions;
      return versions && mergedStatuses(versions.servers.values());
    },
    infer: (request, context) => infer(stages, request, context),
    async predictPictures(request, context) {
      const answer = await predictPictures(stages, request, context);
      countPictures(metrics, answer);
      return answer;
    },
  };
}
