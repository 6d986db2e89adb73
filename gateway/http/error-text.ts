/** Renders a failure as `{"error": "text"}`, as TensorFlow Serving and the Open Inference Protocol do. */
import type { GatewayError } from '../errors.ts';
import type { Answer } from './answer.ts';

/** The answer for a failed request, with Retry-After if the error has one. `status` and `text` override the error's. */
export function errorText(
  error: GatewayError,
  { status, text } = { status: error.status, text: error.message },
): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      ...(error.retryAfterS !== undefined && { 'Retry-After': String(error.retryAfterS) }),
    },
    body: JSON.stringify({ error: text }),
  };
}
