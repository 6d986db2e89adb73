/** Tells gRPC the addresses of all model servers: of several names at once, and again every few seconds. */
import { type ChannelOptions, experimental } from '@grpc/grpc-js';

/** The URI scheme that the resolver is registered under; the path is the comma-separated list. */
export const SCHEME = 'backends';

/** How soon a new pod behind a name is seen, and a name that could not be resolved is asked for again. */
const REFRESH_MS = 3000;

const HOST_AND_PORT = /^(?:dns:(?:\/\/\/)?)?((?:\[[\da-f:.]+\]|[^\s:/[\]]+):(\d{1,5}))$/i;
const SOCKET_PATH = /^unix:(?:\/\/)?(.+)$/;

type Endpoints = readonly experimental.Endpoint[];

/**
 * Reads `host:port`, `dns:///name:port` or `unix:/path`, or several by comma. Throws an Error that says what is allowed,
 * for the start to report.
 */
export function parseBackends(text: string): readonly experimental.GrpcUri[] {
  return text.split(',').map((entry) => {
    const [, socket] = SOCKET_PATH.exec(entry.trim()) ?? [];
    if (socket) return { scheme: 'unix', path: socket };
    const [, address, port] = HOST_AND_PORT.exec(entry.trim()) ?? [];
    if (address && Number(port) >= 1 && Number(port) <= 65_535) return { scheme: 'dns', path: address };
    throw new Error(`"${entry.trim()}" is not host:port, dns:///name:port or unix:/path`);
  });
}

/**
 * Joins the resolvers of all backends in the target's list. gRPC's own know one name each (`ipv4:a,b` takes no names),
 * and ask DNS again only when a connection ends: pods that are added would get no traffic, and a name that was unknown
 * at the start would stay so.
 */
export class BackendsResolver implements experimental.Resolver {
  readonly #resolvers: readonly experimental.Resolver[];
  readonly #listener: experimental.ResolverListener;
  readonly #found = new Map<number, Endpoints>();
  #told: string | undefined;
  #refresh: NodeJS.Timeout | undefined;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#listener = listener;
    this.#resolvers = parseBackends(target.path).map((backend, index) =>
      experimental.createResolver(backend, (result) => this.#enter(index, result), options),
    );
  }

  /** What HTTP/2 sends as :authority. TF-Serving serves whatever it says. */
  static getDefaultAuthority(target: experimental.GrpcUri): string {
    const [first] = parseBackends(target.path);
    return first?.scheme === 'dns' ? first.path : 'localhost';
  }

  updateResolution(): void {
    this.#resolve();
    this.#refresh ??= setInterval(() => this.#resolve(), REFRESH_MS).unref();
  }

  destroy(): void {
    clearInterval(this.#refresh);
    this.#refresh = undefined;
    this.#told = undefined;
    this.#found.clear();
    for (const resolver of this.#resolvers) resolver.destroy();
  }

  #resolve(): void {
    for (const resolver of this.#resolvers) resolver.updateResolution();
  }

  /** Takes one backend's addresses. A name that DNS has lost keeps those it had: its pods are likelier alive than gone. */
  #enter(index: number, result: experimental.StatusOr<experimental.Endpoint[]>): boolean {
    if (result.ok) this.#found.set(index, result.value);
    else if (this.#found.size === 0) return this.#listener(result, {}, null, '');
    const endpoints = new Map(
      [...this.#found.values()].flat().map((endpoint) => [experimental.endpointToString(endpoint), endpoint]),
    );
    const told = [...endpoints.keys()].sort().join();
    // The balancer starts anew with every list, so it is told of changes alone.
    if (told === this.#told) return true;
    this.#told = told;
    return this.#listener(experimental.statusOrFromValue([...endpoints.values()]), {}, null, '');
  }
}
