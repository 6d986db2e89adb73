/** The kinds of failure, a closed set. Each has an HTTP status, a gRPC status, a public title, a log level, a retry hint. */

/** The names of gRPC's status codes that failures have. */
export type GrpcStatus =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

type KindRow = {
  /** HTTP status. 499 is never sent: the client has closed the connection. */
  readonly status: number;
  /** The status of some failures of the kind: see GatewayError.status. */
  readonly otherStatus?: 422 | 503;
  readonly grpc: GrpcStatus;
  readonly title: string;
  readonly level: 'info' | 'warn' | 'error';
  /** Seconds after which a client may retry. Sent as Retry-After. */
  readonly retryAfterS?: number;
};

export const KINDS = {
  invalid_json: { status: 400, grpc: 'INVALID_ARGUMENT', title: 'The body is not JSON', level: 'info' },
  invalid_request: { status: 400, grpc: 'INVALID_ARGUMENT', title: 'The request is not valid', level: 'info' },
  invalid_url: { status: 400, grpc: 'INVALID_ARGUMENT', title: 'The URL is not valid', level: 'info' },
  invalid_tensor: { status: 400, grpc: 'INVALID_ARGUMENT', title: 'The tensor is not valid', level: 'info' },
  unauthenticated: { status: 401, grpc: 'UNAUTHENTICATED', title: 'No valid API key', level: 'info' },
  source_forbidden: { status: 403, grpc: 'PERMISSION_DENIED', title: 'The image source is not allowed', level: 'warn' },
  not_found: { status: 404, grpc: 'UNIMPLEMENTED', title: 'Not found', level: 'info' },
  model_not_found: { status: 404, grpc: 'NOT_FOUND', title: 'No such model or version', level: 'info' },
  method_not_allowed: { status: 405, grpc: 'UNIMPLEMENTED', title: 'The method is not allowed here', level: 'info' },
  version_not_proven: {
    status: 409,
    otherStatus: 503,
    grpc: 'FAILED_PRECONDITION',
    title: 'The version may not answer',
    level: 'info',
  },
  client_timeout: {
    status: 408,
    grpc: 'DEADLINE_EXCEEDED',
    title: 'The request did not arrive in time',
    level: 'info',
  },
  body_too_large: { status: 413, grpc: 'RESOURCE_EXHAUSTED', title: 'The request is too large', level: 'info' },
  unsupported_media: { status: 415, grpc: 'UNIMPLEMENTED', title: 'The content type is not supported', level: 'info' },
  image_unreadable: { status: 422, grpc: 'INVALID_ARGUMENT', title: 'The image cannot be read', level: 'info' },
  image_unsupported: { status: 422, grpc: 'INVALID_ARGUMENT', title: 'The image format is not offered', level: 'info' },
  image_too_large: { status: 422, grpc: 'INVALID_ARGUMENT', title: 'The image has too many pixels', level: 'info' },
  explanation_unavailable: {
    status: 422,
    grpc: 'FAILED_PRECONDITION',
    title: 'The model cannot be explained so',
    level: 'info',
  },
  source_too_large: {
    status: 422,
    grpc: 'INVALID_ARGUMENT',
    title: 'The image at the source is too large',
    level: 'info',
  },
  source_not_image: {
    status: 422,
    grpc: 'INVALID_ARGUMENT',
    title: 'The source did not answer with an image',
    level: 'info',
  },
  overloaded: {
    status: 429,
    otherStatus: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    title: 'Too many requests are in flight',
    level: 'warn',
    retryAfterS: 1,
  },
  quota: { status: 429, grpc: 'RESOURCE_EXHAUSTED', title: 'The quota is used up', level: 'info' },
  client_gone: { status: 499, grpc: 'CANCELLED', title: 'The client closed the connection', level: 'info' },
  internal: { status: 500, grpc: 'INTERNAL', title: 'Something went wrong in the gateway', level: 'error' },
  source_failed: {
    status: 502,
    otherStatus: 422,
    grpc: 'UNAVAILABLE',
    title: 'The image could not be fetched',
    level: 'warn',
  },
  model_failed: { status: 502, grpc: 'INTERNAL', title: 'The model server failed', level: 'error' },
  model_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    title: 'The model is not available',
    level: 'error',
    retryAfterS: 1,
  },
  draining: { status: 503, grpc: 'UNAVAILABLE', title: 'The gateway is shutting down', level: 'info', retryAfterS: 1 },
  source_timeout: {
    status: 504,
    grpc: 'DEADLINE_EXCEEDED',
    title: 'The image source did not answer in time',
    level: 'warn',
  },
  model_timeout: {
    status: 504,
    grpc: 'DEADLINE_EXCEEDED',
    title: 'The model server did not answer in time',
    level: 'error',
  },
} as const satisfies Record<string, KindRow>;

export type Kind = keyof typeof KINDS;

/** The HTTP statuses that failures of a kind are sent with. */
export function statusesOf(kind: Kind): readonly number[] {
  const { status, otherStatus }: KindRow = KINDS[kind];
  if (kind === 'client_gone') return [];
  return otherStatus === undefined ? [status] : [status, otherStatus];
}

type GatewayErrorOptions = {
  /** Details for the log, such as addresses and error texts of libraries. Never sent. */
  readonly cause?: unknown;
  /** For `source_failed`: the status of the source's response. */
  readonly sourceStatus?: number;
  /** Seconds until a retry makes sense. Overrides the value of the kind. */
  readonly retryAfterS?: number;
  /**
   * The status is 503: for `overloaded` of all clients, so that load balancers try another replica, and for a
   * `version_not_proven` whose proof has not ended.
   */
  readonly isUnavailable?: boolean;
  /** The model server contradicts what is known of it: it has another version, other tensors, or is gone. */
  readonly isOutdated?: boolean;
};

/**
 * A failure with a kind. `message` is public: it names the field, what is wrong and what to do. Addresses, paths and
 * error texts of libraries belong in `cause`, which is only logged.
 */
export class GatewayError extends Error {
  readonly kind: Kind;
  readonly sourceStatus: number | undefined;
  readonly retryAfterS: number | undefined;
  readonly isUnavailable: boolean;
  readonly isOutdated: boolean;

  constructor(kind: Kind, detail: string, options: GatewayErrorOptions = {}) {
    // No stack trace: it costs 10 % of a refusal. The kind says what failed, and the cause has the stack of the fault.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail, 'cause' in options ? { cause: options.cause } : undefined);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'GatewayError';
    this.kind = kind;
    this.sourceStatus = options.sourceStatus;
    const row: KindRow = KINDS[kind];
    this.retryAfterS = options.retryAfterS ?? row.retryAfterS;
    this.isUnavailable = options.isUnavailable ?? false;
    this.isOutdated = options.isOutdated ?? false;
  }

  /**
   * The HTTP status of the kind, or its other one: 422 for a `source_failed` whose source answered 4xx (the URL is
   * wrong, not the network), and 503 for what may succeed soon (`isUnavailable`).
   */
  get status(): number {
    const { status, otherStatus }: KindRow = KINDS[this.kind];
    return this.isUnavailable || this.#isUrlWrong ? (otherStatus ?? status) : status;
  }

  /** The gRPC status of the kind, with the same exceptions: INVALID_ARGUMENT for 422, and UNAVAILABLE for 503. */
  get grpcStatus(): GrpcStatus {
    if (this.isUnavailable) return 'UNAVAILABLE';
    return this.#isUrlWrong ? 'INVALID_ARGUMENT' : KINDS[this.kind].grpc;
  }

  get #isUrlWrong(): boolean {
    const { kind, sourceStatus } = this;
    return kind === 'source_failed' && sourceStatus !== undefined && sourceStatus >= 400 && sourceStatus < 500;
  }
}

/** Returns a GatewayError unchanged. Every other thrown value becomes the cause of an `internal` error. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return internalError(thrown);
}

/** The error for a fault of the gateway itself. */
export function internalError(cause: unknown): GatewayError {
  return new GatewayError('internal', 'The gateway failed on this request; the log has the reason.', { cause });
}

/** Maps an aborted signal to its error: the deadline passed, or the client closed the connection. */
export function abortError({ reason }: AbortSignal): GatewayError {
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    const detail = 'There was no room for the request before its deadline; try again later.';
    return new GatewayError('overloaded', detail, { cause: reason });
  }
  return clientGone(reason);
}

/** The error after the client has closed the connection. For log and metrics only. */
export function clientGone(cause: unknown): GatewayError {
  return new GatewayError('client_gone', 'The client closed the connection.', { cause });
}
