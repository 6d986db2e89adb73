/** Errors with a canonical gRPC code and TF-Serving's message. */

import { status as grpcStatus } from '@grpc/grpc-js';

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

  /** The error that grpc-js sends. */
  toServiceError(): { code: number; details: string } {
    const { message } = this;
    const details =
      message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}...TRUNCATED` : message;
    return { code: grpcStatus[this.code], details };
  }
}

export const invalidArgument = (message: string): StatusError => new StatusError('INVALID_ARGUMENT', message);
export const notFound = (message: string): StatusError => new StatusError('NOT_FOUND', message);
export const failedPrecondition = (message: string): StatusError => new StatusError('FAILED_PRECONDITION', message);

/** Converts any thrown value to a StatusError. Other errors become INTERNAL. */
export function asStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new StatusError('INTERNAL', message, { cause: thrown });
}
