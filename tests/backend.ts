/** Helpers for tests of the backend: model servers on loopback, a backend in front of them, and a proxy that fails. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AnswerBudget } from '../gateway/backend/grpc/answer-memory.ts';
import { type ChannelSettings, openClient } from '../gateway/backend/grpc/channel.ts';
import type { ModelServers } from '../gateway/backend/grpc/model-servers.ts';
import { createBackend } from '../gateway/backend/protocols.ts';
import type { Backend, Prediction, PredictTarget } from '../gateway/domain/backend.ts';
import type { BackendProtocol } from '../gateway/domain/own-limits.ts';
import type { RequestContext } from '../gateway/domain/request.ts';
import { GatewayError, type Kind } from '../gateway/errors.ts';
import { floatTensor, type ModelServer, type OnPredict, startModelServer, XCEPTION } from './model-server.ts';
import { startAsTensorFlow } from './open-inference-server.ts';

export const SMALL: PredictTarget = {
  servable: { model: 'clothing-model' },
  signature: 'serving_default',
  input: { name: 'input_8', dtype: 'DT_FLOAT', shape: [2] },
  answer: { outputs: ['dense_7'], wantedElements: 2, elements: 2 },
};
export const IMAGE: PredictTarget = { ...SMALL, input: { ...SMALL.input, shape: [299, 299, 3] } };
export const ANSWER = { dense_7: floatTensor([1, 2], [1, 2]) };

const START: Readonly<Record<BackendProtocol, typeof startAsTensorFlow>> = {
  'tf-serving': startModelServer,
  'open-inference': startAsTensorFlow,
};

/** Starts a server that speaks the protocol. */
export async function serve(
  t: TestContext,
  onPredict: OnPredict = () => ANSWER,
  port = 0,
  protocol: BackendProtocol = 'tf-serving',
): Promise<ModelServer> {
  const server = await START[protocol]({ ...XCEPTION, onPredict }, port);
  t.after(() => server.close());
  return server;
}

type Opened = {
  readonly backend: Backend;
  readonly client: ModelServers;
  readonly statuses: string[];
  readonly extra: string[];
};
type OpenOptions = {
  readonly hedgeAfterMs?: number;
  readonly maxOutputBytes?: number;
  readonly answers?: AnswerBudget;
  readonly channel?: ChannelSettings;
  readonly protocol?: BackendProtocol;
};

/** Opens a backend. `statuses` records its calls' codes, `extra` the reasons of its extra attempts. */
export function open(t: TestContext, targets: string, options: OpenOptions = {}): Opened {
  const { hedgeAfterMs, maxOutputBytes = 2 ** 20, answers, channel, protocol = 'tf-serving' } = options;
  const statuses: string[] = [];
  const extra: string[] = [];
  const client = openClient(targets, channel);
  const backend = createBackend(protocol, {
    client,
    maxOutputBytes,
    answers,
    hedgeAfterMs,
    onStatus: (method, code) => statuses.push(`${method} ${code}`),
    onExtraAttempt: (reason) => extra.push(reason),
  });
  t.after(() => backend.close());
  return { backend, client, statuses, extra };
}

/** Opens a backend and waits until it is connected to all servers that can be reached. */
export async function connect(t: TestContext, targets: string, options: OpenOptions = {}): Promise<Opened> {
  const opened = open(t, targets, options);
  await promisify(opened.client.waitForReady.bind(opened.client))(Date.now() + 5000);
  // `waitForReady` waits for one connection; the others follow within milliseconds.
  if (targets.includes(',')) await sleep(50);
  return opened;
}

type Request = {
  target?: PredictTarget;
  timeoutMs?: number;
  signal?: AbortSignal;
  count?: number;
  onEnd?: RequestContext['onEnd'];
};

export function predict(backend: Backend, request: Request = {}): Promise<Prediction> {
  const { target = SMALL, timeoutMs = 5000, signal = new AbortController().signal, count = 1 } = request;
  const { onEnd = (end) => end() } = request;
  const context = { deadlineMs: performance.now() + timeoutMs, signal, onEnd } as RequestContext;
  return backend.prepare(target, count).send(count, context);
}

export function failsWith(kind: Kind) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, `${error}`);
    assert.equal(error.kind, kind, `${error.cause}`);
    assert.doesNotMatch(error.message, /srv|127\.0|10\.1|\d{4,}/);
    return true;
  };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Retries Predict until it succeeds, for 5 s at most. Resolves with the time that took, in ms. */
export function untilAnswered(backend: Backend): Promise<number> {
  return timed(async () => {
    const endMs = performance.now() + 5000;
    for (;;) {
      try {
        return await predict(backend);
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await sleep(20);
      }
    }
  });
}

type Forward = { readonly target: string; kill(): void; freeze(): void };

/**
 * A TCP proxy to a server. `kill` resets its connections, as when the server process dies; `freeze` stops forwarding and
 * keeps the connections open, as when the process hangs.
 */
export async function forward(t: TestContext, target: string): Promise<Forward> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const proxy = createServer((near) => {
    const far = openSocket(Number(target.split(':')[1]), '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      if (!isFrozen) socket.pipe(other);
    }
  });
  const kill = () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  const freeze = () => {
    isFrozen = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  t.after(kill);
  return { target: await listen(proxy), kill, freeze };
}

/** Listens on a free port of 127.0.0.1. Resolves with `host:port`. */
export async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return `127.0.0.1:${address.port}`;
}
