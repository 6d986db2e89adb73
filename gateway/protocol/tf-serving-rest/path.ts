/** The paths of TF-Serving's REST API (http_rest_api_handler). Names of models and labels may be percent-encoded. */
import { TfServingError } from './failure.ts';

/** What a path names. `version`: the digits, of any length. */
export type AskedModel = { readonly model: string; readonly version?: string; readonly label?: string };

const NAME = '(?:[^/:]+)';
const WHICH = String.raw`(?:/versions/\d+|/labels/[^/:]+)?`;

/** The paths of each route, for the router. */
export const PATHS = {
  predict: new RegExp(`^/v1/models/${NAME}${WHICH}:predict$`, 'i'),
  classify: new RegExp(`^/v1/models/${NAME}${WHICH}:classify$`, 'i'),
  regress: new RegExp(`^/v1/models/${NAME}${WHICH}:regress$`, 'i'),
  metadata: new RegExp(`^/v1/models(?:/${NAME})?${WHICH}/metadata$`, 'i'),
  status: new RegExp(`^/v1/models(?:/${NAME})?${WHICH}$`, 'i'),
  other: /^\/v1\/models(?:\/|$)/i,
} as const;

const PARTS =
  /^\/v1\/models(?:\/(?<model>[^/:]+))?(?:\/versions\/(?<version>\d+)|\/labels\/(?<label>[^/:]+))?(?::\w+|\/metadata)?$/i;

/** Versions are int64. */
const VERSION_LIMIT = 2n ** 63n;

/** Reads a path that one of PATHS has matched. Throws a 400 in TF-Serving's words. */
export function readPath(method: string, path: string): AskedModel {
  const { model, version, label } = PARTS.exec(path)?.groups ?? {};
  if (version !== undefined && BigInt(version) >= VERSION_LIMIT) {
    throw new TfServingError(400, `Failed to convert version: ${version} to numeric.`);
  }
  if (model === undefined) throw new TfServingError(400, 'Missing model name in request.');
  try {
    return {
      model: decodeURIComponent(model),
      ...(version !== undefined && { version }),
      ...(label !== undefined && { label: decodeURIComponent(label) }),
    };
  } catch {
    throw malformed(method, path); // a percent sign without two hexadecimal digits
  }
}

/** The error for every other path and method below /v1/models. */
export function malformed(method: string, path: string): TfServingError {
  return new TfServingError(400, `Malformed request: ${method} ${path}`);
}
