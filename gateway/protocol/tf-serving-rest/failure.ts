/** Failures with TF-Serving's statuses and texts. */
import { GatewayError, type Kind } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { errorText } from '../../http/error-text.ts';

/** The statuses that the REST API gives to gRPC's codes. */
const STATUS_OF_CODE = { INVALID_ARGUMENT: 400, NOT_FOUND: 404, FAILED_PRECONDITION: 400, OUT_OF_RANGE: 400 } as const;

/** A failure as TF-Serving answers it. */
export class TfServingError extends GatewayError {
  readonly #status: number;

  constructor(status: number, text: string, kind: Kind = 'invalid_request', cause?: unknown) {
    super(kind, text, cause === undefined ? {} : { cause });
    this.#status = status;
  }

  override get status(): number {
    return this.#status;
  }
}

/** A request for a model that resolve() has refused, in TF-Serving's words. Other errors are the gateway's own. */
export function asServableError(
  error: GatewayError,
  { model, version, label }: { readonly model: string; readonly version?: string; readonly label?: string },
): GatewayError {
  if (error.kind !== 'model_not_found') return error;
  if (label !== undefined) {
    return new TfServingError(400, `Unrecognized servable version label: ${label}`, error.kind, error.cause);
  }
  const wanted = version === undefined ? `Latest(${model})` : `Specific(${model}, ${BigInt(version)})`;
  return new TfServingError(404, `Servable not found for request: ${wanted}`, error.kind, error.cause);
}

/** What the model server answers to the tensors of a client: its status and text are those of the REST API. */
function answerOfServer({ cause }: GatewayError): { readonly status: number; readonly text: string } | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause) || !('details' in cause)) return undefined;
  const code = CODE_NAMES.get(cause.code);
  if (code === undefined || typeof cause.details !== 'string' || cause.details === '') return undefined;
  return { status: STATUS_OF_CODE[code], text: cause.details };
}

/** gRPC's numbers of the codes whose texts come from the model server, never from the transport. */
const CODE_NAMES: ReadonlyMap<unknown, keyof typeof STATUS_OF_CODE> = new Map([
  [3, 'INVALID_ARGUMENT'],
  [9, 'FAILED_PRECONDITION'],
  [11, 'OUT_OF_RANGE'],
]);

/** Renders a failure. The gateway's own refusals keep their statuses and Retry-After. */
export function renderFailure(error: GatewayError): Answer {
  const isOfServer = error.kind === 'invalid_tensor' || error.kind === 'model_failed';
  return errorText(error, isOfServer ? answerOfServer(error) : undefined);
}
