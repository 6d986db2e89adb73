/** The headers of a call. */
import type { IncomingHttpHeaders } from 'node:http2';
import { GatewayError } from '../errors.ts';
import { timeoutMsOf } from './timeout.ts';

/** The types of "gRPC over HTTP/2" for messages of protobuf. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?(;|$)/i;

/** The HTTP status of the answer: another than 200 for a request that is no call (Requests, Content-Type). */
export function httpStatusFor(headers: IncomingHttpHeaders): number {
  if (headers[':method'] !== 'POST') return 405;
  return CONTENT_TYPE.test(headers['content-type'] ?? '') ? 200 : 415;
}

/** Throws `invalid_request` and `unsupported_media` for what the gateway does not take. */
export function checkHeaders(headers: IncomingHttpHeaders): void {
  if (httpStatusFor(headers) !== 200) {
    throw new GatewayError('unsupported_media', 'This port takes gRPC: POST with application/grpc.');
  }
  const timeout = textOf(headers['grpc-timeout']);
  if (timeout !== undefined && timeoutMsOf(timeout) === undefined) {
    throw new GatewayError('invalid_request', 'grpc-timeout: needs up to eight digits and a unit, such as 500m.');
  }
}

/** A header that has one value. */
export function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
