/** The gRPC server: maps RPCs to methods of the service, cancelled calls to an AbortSignal and errors to statuses. */

import { lstat, unlink } from 'node:fs/promises';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import type { Inference } from './inference.ts';
import type { Protocol } from './protocol.ts';
import type { Service } from './service.ts';
import { asStatusError, invalidArgument } from './status.ts';

/** About 470 images of 299 x 299 as float32. TF-Serving has no limit; this one bounds the memory a client can use. */
const MAX_MESSAGE_BYTES = 512 * 1024 * 1024;

type Parts = { readonly inference: Inference; readonly service: Service };

/** Creates the server without opening a port. */
export function createServer({ inference, service }: Parts, { predictionService, modelService }: Protocol): Server {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  server.addService(predictionService.service, {
    Predict: unary(inference.predict.bind(inference)),
    Classify: unary(inference.classify.bind(inference)),
    Regress: unary(inference.regress.bind(inference)),
    GetModelMetadata: unary(service.getModelMetadata.bind(service)),
  });
  server.addService(modelService.service, {
    GetModelStatus: unary(service.getModelStatus.bind(service)),
    HandleReloadConfigRequest: unary(service.handleReloadConfigRequest.bind(service)),
  });
  return server;
}

function unary<Request, Response>(
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const cancelled = new AbortController();
    // grpc-js also emits 'cancelled' when the deadline of a call passes.
    call.on('cancelled', () => cancelled.abort());
    handle(call.request, cancelled.signal).then(
      (response) => callback(null, response),
      (error) => callback(asStatusError(error).toServiceError()),
    );
  };
}

/**
 * Opens a port of an address of this machine.
 * @param port 0 for a free port
 * @returns the address
 */
export async function listenOnPort(server: Server, host: string, port: number): Promise<string> {
  return `${host}:${await bind(server, `${host}:${port}`)}`;
}

/** Opens a UNIX socket. Replaces a socket left by a server that was killed. @returns the address */
export async function listenOnSocket(server: Server, path: string): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await unlink(path);
  await bind(server, `unix:${path}`);
  return `unix:${path}`;
}

async function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(invalidArgument(`Failed to BuildAndStart gRPC server: ${error.message}`));
    });
  });
}

/** Stops accepting calls. Resolves when the calls in flight have ended. */
export async function drain(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error ? reject(error) : resolve()));
  });
}
