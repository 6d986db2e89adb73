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
import { type HoldAnswer, UnreadAnswers } from '../door/unread-answers.ts';
import { type BodyReader, createBodyReader } from '../http/body.ts';
import { createDoor } from '../http/door.ts';
import { drainable } from '../http/draining.ts';
import { createJsonCodec, type JsonCodec } from '../http/json/codec.ts';
import { refuseMalformed } from '../http/malformed.ts';
import { createLimitedServer } from '../http/server.ts';
import { listenerOf } from '../http/service.ts';
import type { DescriptorPlan } from '../machine/descriptors.ts';
import type { MemoryPlan } from '../machine/memory-plan.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PredictionLog } from '../observe/prediction-log/open.ts';
import type { StartTrace } from '../observe/traces/request-span.ts';
import { openApplications } from './applications.ts';
import { openGrpc } from './grpc.ts';
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
  /** Absent where the prediction log is off. */
  readonly addFeedback: PredictionLog['addFeedback'] | undefined;
  /** Absent where the gateway records no traces. */
  readonly startTrace: StartTrace | undefined;
  /** Takes what has to be closed with the gateway. */
  readonly opened: DisposableStack;
};

/** `grpc` is absent without GRPC_PORT. */
export type Doors = { readonly service: Server; readonly admin: Server; readonly grpc?: Listener };

/** Makes the servers; they listen nowhere yet. Throws ConfigError for a setting that a part refuses. */
export function openDoors(options: DoorsOptions): Doors {
  const { config, log, line, plan, descriptors, metrics, lifecycle } = options;
  const { maxConnections, maxAdminConnections } = descriptors;
  const { requestTimeoutMs } = config;
  const shared = openShared(options);
  const isClosing = () => lifecycle.isDraining() || plan.memory.state !== 'ok';
  const { states } = line.watch;
  const isReady = () => !lifecycle.isDraining() && states.readiness.ready && line.decodingProblem() === undefined;
  const door = createDoor(shared.pass, shared.holdAnswer, isClosing);
  const { service, admin: adminApp } = openApplications(options, { ...shared, door, isReady });
  const limits = { requestTimeoutMs: requestTimeoutMs + LATE_BODY_MS, log };
  const server = checked(
    () => createLimitedServer(listenerOf(service, door), { ...limits, maxConnections, tls: tlsFiles(config) }),
    'TLS_CERT_FILE, TLS_KEY_FILE',
  );
  const admin = createLimitedServer(adminApp, { ...limits, maxConnections: maxAdminConnections });
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

/** What the requests of all transports share. */
type Shared = {
  readonly pass: Pass;
  readonly hold: HoldBody;
  readonly holdAnswer: HoldAnswer;
  readonly readBody: BodyReader;
  readonly codec: JsonCodec;
  /** Refuses a request before its body is read. */
  readonly check: (context: RequestContext) => void;
};

function openShared({ config, line: { stages }, log, plan, metrics, startTrace, opened }: DoorsOptions): Shared {
  const { apiKeysFile: keysFile, redisUrl, rateLimit: rate, requestTimeoutMs: timeoutMs } = config;
  const { maxBodyBytes, maxImageBytes, maxInstances } = config;
  const access = checked(() => openAccess({ keysFile, redisUrl, log }), 'API_KEYS_FILE');
  opened.defer(() => access.close());
  const callers = createCallers({ keys: access.keys, limits: access.limits, rate });
  const onDrop = () => log.warn('an answer was dropped: its client does not take it, and its memory is needed');
  const answers = new UnreadAnswers(plan.maxHeldBytes, onDrop);
  const hold = boundBodyMemory(answers.budget);
  const codec = createJsonCodec(plan.maxJsonBytes, answers.take);
  opened.defer(() => codec.close());
  return {
    pass: createPass({ callers, timeoutMs, log, metrics, startTrace }),
    hold,
    holdAnswer: answers.hold,
    codec,
    readBody: createBodyReader({ maxBodyBytes, maxImageBytes, maxInstances, hold, codec }),
    check(context) {
      plan.memory.check();
      stages.admission.check(context);
    },
  };
}
