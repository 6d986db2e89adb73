/** The paths of models in the Open Inference Protocol. Names may be percent-encoded. */
import { GatewayError } from '../../errors.ts';
import { type NamedServable, servableOf } from '../../open-inference/models.ts';

const MODEL = '^/v2/models/[^/]+(?:/versions/[^/]+)?';

/** The paths of each route, for the router. */
export const PATHS = {
  model: new RegExp(`${MODEL}$`),
  ready: new RegExp(`${MODEL}/ready$`),
  infer: new RegExp(`${MODEL}/infer$`),
  other: /^\/v2(?:\/|$)/,
} as const;

const PARTS = /^\/v2\/models\/(?<model>[^/]+)(?:\/versions\/(?<version>[^/]+))?(?:\/ready|\/infer)?$/;

/** The servable of a path that one of PATHS has matched. Throws `invalid_request`. */
export function readPath(path: string): NamedServable {
  const { model = '', version = '' } = PARTS.exec(path)?.groups ?? {};
  return servableOf({ model: decoded(model), version: decoded(version) });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    throw new GatewayError('invalid_request', `path: ${text.slice(0, 80)} is not percent-encoded UTF-8 (RFC 3986).`);
  }
}
