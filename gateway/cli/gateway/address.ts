/** Addresses of a gateway, as commands get them. */
import { ConfigError } from '../../config/read.ts';

/** What a request names: a model, its version or a label. */
export type AskedModel = { readonly model?: string; readonly modelVersion?: string; readonly label?: string };

/** The address of a route of the gateway at `base`. Throws ConfigError, which names the option, for what is no http address. */
export function routeOf(base: string, route: string, option: string): URL {
  const url = URL.parse(base);
  if (!url || !/^https?:$/.test(url.protocol)) throw new ConfigError(`${option} ${base}: needs http:// or https://`);
  return new URL(`${url.pathname.replace(/\/$/, '')}${route}`, url);
}

/** The address of /predict for a model. Throws ConfigError as `routeOf`. */
export function predictAddress(base: string, option: string, { model, modelVersion: version, label }: AskedModel): URL {
  const address = routeOf(base, '/predict', option);
  for (const [name, value] of Object.entries({ model, version, label })) {
    if (value !== undefined) address.searchParams.set(name, value);
  }
  return address;
}

/** The header with the API key, if there is one. */
export const keyHeader = (key: string | undefined): Readonly<Record<string, string>> =>
  key === undefined ? {} : { Authorization: `Bearer ${key}` };

/** The code of a failed call, such as ENOENT or ECONNREFUSED. */
export function causeOf(error: unknown): string {
  const { code, cause } = error as { readonly code?: string; readonly cause?: { readonly code?: string } };
  return code ?? cause?.code ?? String(error);
}
