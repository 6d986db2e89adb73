/** Errors with a canonical gRPC code and TF-Serving's message. */

import type { status as grpcStatus } from '@grpc/grpc-js';
import { GatewayError } from '../../gateway/errors.ts';

export type Code = Exclude<keyof typeof grpcStatus, 'OK'>;

/** TF-Serving's limit (grpc_status_util.cc): the message is sent as an HTTP header. */
const MAX_MESSAGE_LENGTH = 1024;

export class StatusError extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StatusError';
    this.code = code;
  }

  /** `CODE: message`, the format of TensorFlow's statuses. */
  override toString(): string {
    return `${this.code}: ${this.message}`;
  }

  /** The message as it is sent. */
  get text(): string {
    const { message } = this;
    return message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}...TRUNCATED` : message;
  }
}

export const invalidArgument = (message: string): StatusError => new StatusError('INVALID_ARGUMENT', message);
export const notFound = (message: string): StatusError => new StatusError('NOT_FOUND', message);
export const failedPrecondition = (message: string): StatusError => new StatusError('FAILED_PRECONDITION', message);

/** Converts any thrown value to a StatusError. Other errors become INTERNAL. */
export function asStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown;
  if (thrown instanceof GatewayError) return new StatusError(thrown.grpcStatus, thrown.message);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new StatusError('INTERNAL', message, { cause: thrown });
}
