/** The gRPC server: maps RPCs to methods of the service, cancelled calls to an AbortSignal and errors to statuses. */

import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { MethodDefinition } from '@grpc/grpc-js';
import type { Arrived, OnCall } from '../../gateway/grpc/calls.ts';
import { checkHeaders, httpStatusFor, textOf } from '../../gateway/grpc/headers.ts';
import { type Answer, send, success } from '../../gateway/grpc/reply.ts';
import { createGrpcServer, type GrpcServer } from '../../gateway/grpc/server.ts';
import { failed } from '../../gateway/grpc/status.ts';
import { timeoutMsOf } from '../../gateway/grpc/timeout.ts';
import { free } from './feed.ts';
import type { Inference } from './inference.ts';
import type { Protocol } from './protocol.ts';
import { receiveMessage } from './receive.ts';
import type { Service } from './service.ts';
import { asStatusError, type Code, invalidArgument, StatusError } from './status.ts';

const MAX_TIMER_MS = 2 ** 31 - 1;
/** A client that takes nothing of its answer for so long has gone. */
const IDLE_MS = 60_000;
/** Room for whole tensors: with less, the client waits for this process after each part of a tensor. */
const WINDOWS = { callBytes: 4 * 2 ** 20, connectionBytes: 64 * 2 ** 20 };

type Parts = { readonly inference: Inference; readonly service: Service };

/** Takes the message of a call, and returns that of its answer. */
type Method = (message: Buffer<ArrayBuffer>, signal: AbortSignal) => Promise<Buffer>;

/** Makes the function that answers calls. */
export function createOnCall({ inference, service }: Parts, { predictionService, modelService }: Protocol): OnCall {
  const prediction = predictionService.service;
  const model = modelService.service;
  const methods = new Map([
    unary(prediction.Predict, inference.predict.bind(inference)),
    unary(prediction.Classify, inference.classify.bind(inference)),
    unary(prediction.Regress, inference.regress.bind(inference)),
    unary(prediction.GetModelMetadata, service.getModelMetadata.bind(service)),
    unary(model.GetModelStatus, service.getModelStatus.bind(service)),
    unary(model.HandleReloadConfigRequest, service.handleReloadConfigRequest.bind(service)),
  ]);
  return (arrived) => answer(arrived, methods.get(arrived.headers[':path'] ?? ''));
}

/** A method by its path: `/package.Service/Method`. */
function unary<Request, Response>(
  definition: MethodDefinition<Request, Response> | undefined,
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): [string, Method] {
  if (!definition) throw new Error('The protos do not define all methods');
  const { path, requestDeserialize, responseSerialize } = definition;
  return [
    path,
    async (message, signal) => {
      const response = await handle(requestDeserialize(message), signal);
      free(message.buffer);
      return responseSerialize(response);
    },
  ];
}

/** Answers a call, at its deadline at the latest. */
async function answer({ stream, headers }: Arrived, method: Method | undefined): Promise<void> {
  const { signal, late, done } = endOf(stream, timeoutMsOf(textOf(headers['grpc-timeout']) ?? ''));
  const called = Promise.try(async () => {
    checkHeaders(headers);
    if (!method) throw new StatusError('UNIMPLEMENTED', '');
    return success([await method(await receiveMessage(stream), signal)]);
  });
  const answered = await Promise.race([called, late]).catch(failure);
  done();
  send(stream, answered, { httpStatus: httpStatusFor(headers), metadata: {}, idleMs: IDLE_MS });
}

/** What ends a call early: the signal is aborted and `late` rejects at its deadline and when the client has gone. */
function endOf(stream: ServerHttp2Stream, timeoutMs: number | undefined) {
  const ending = new AbortController();
  const late = Promise.withResolvers<never>();
  const end = (code: Code, text: string) => {
    ending.abort();
    late.reject(new StatusError(code, text));
  };
  const onDeadline = () => end('DEADLINE_EXCEEDED', 'Deadline Exceeded');
  const onGone = () => end('CANCELLED', 'CANCELLED');
  const timer = timeoutMs === undefined ? undefined : setTimeout(onDeadline, Math.min(timeoutMs, MAX_TIMER_MS));
  stream.once('close', onGone);
  return {
    signal: ending.signal,
    late: late.promise,
    done() {
      clearTimeout(timer);
      stream.off('close', onGone);
    },
  };
}

function failure(thrown: unknown): Answer {
  const { code, text } = asStatusError(thrown);
  return { status: 500, trailers: failed(code, text) };
}

/** A server on one address. */
export type Bound = { readonly server: GrpcServer; readonly address: string };

/** Opens a port of an address of this machine. `port`: 0 for a free one. */
export async function listenOnPort(onCall: OnCall, host: string, port: number): Promise<Bound> {
  const server = await listen(onCall, { host: host.replace(/^\[|\]$/g, ''), port });
  return { server, address: `${host}:${(server.listener.address() as AddressInfo).port}` };
}

/** Opens a UNIX socket. Replaces a socket left by a server that was killed. */
export async function listenOnSocket(onCall: OnCall, path: string): Promise<Bound> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await unlink(path);
  return { server: await listen(onCall, { path }), address: `unix:${path}` };
}

async function listen(onCall: OnCall, options: ListenOptions): Promise<GrpcServer> {
  const server = createGrpcServer(onCall, { maxConnections: Number.MAX_SAFE_INTEGER, windows: WINDOWS });
  try {
    await once(server.listener.listen(options), 'listening');
    return server;
  } catch (error) {
    throw invalidArgument(`Failed to BuildAndStart gRPC server: ${(error as Error).message}`);
  }
}

/** Stops accepting calls. Resolves when the calls in flight have ended. */
export async function drain(servers: readonly Bound[]): Promise<void> {
  await Promise.all(servers.map(({ server }) => new Promise<void>((resolve) => server.drainable.stop(resolve))));
}
