/** A gRPC name resolver for several names in one list; it resolves them again every few seconds. */
import { type ChannelOptions, experimental } from '@grpc/grpc-js';

/** The URI scheme of the resolver; the path is the comma-separated list. */
export const SCHEME = 'backends';

/** Bounds how long a new pod goes unnoticed, and how long until a failed lookup is repeated. */
const REFRESH_MS = 3000;

const HOST_AND_PORT = /^(?:dns:(?:\/\/\/)?)?((?:\[[\da-f:.]+\]|[^\s:/[\]]+):(\d{1,5}))$/i;
const SOCKET_PATH = /^unix:(?:\/\/)?(.+)$/;

type Endpoints = readonly experimental.Endpoint[];

/**
 * Parses `host:port`, `dns:///name:port` or `unix:/path`, several separated by commas. Throws an Error with the allowed
 * forms, which is reported at startup.
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
 * Combines the resolvers of all backends in the target's list. gRPC's own resolvers take one name each (`ipv4:a,b`
 * takes no names), and they query DNS again only when a connection ends: new pods would get no traffic, and a name that
 * was unknown at startup would stay unknown.
 */
export class BackendsResolver implements experimental.Resolver {
  readonly #resolvers: readonly experimental.Resolver[];
  readonly #listener: experimental.ResolverListener;
  readonly #endpoints = new Map<number, Endpoints>();
  #reported: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener, options: ChannelOptions) {
    this.#listener = listener;
    this.#resolvers = parseBackends(target.path).map((backend, index) =>
      experimental.createResolver(backend, (result) => this.#update(index, result), options),
    );
  }

  /** What HTTP/2 sends as :authority. TF-Serving accepts any value. */
  static getDefaultAuthority(target: experimental.GrpcUri): string {
    const [first] = parseBackends(target.path);
    return first?.scheme === 'dns' ? first.path : 'localhost';
  }

  updateResolution(): void {
    this.#resolve();
    this.#timer ??= setInterval(() => this.#resolve(), REFRESH_MS).unref();
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#reported = undefined;
    this.#endpoints.clear();
    for (const resolver of this.#resolvers) resolver.destroy();
  }

  #resolve(): void {
    for (const resolver of this.#resolvers) resolver.updateResolution();
  }

  /** Stores one backend's addresses. If DNS loses a name, its last addresses stay: the pods are probably alive. */
  #update(index: number, result: experimental.StatusOr<experimental.Endpoint[]>): boolean {
    if (result.ok) this.#endpoints.set(index, result.value);
    else if (this.#endpoints.size === 0) return this.#listener(result, {}, null, '');
    const endpoints = new Map(
      [...this.#endpoints.values()].flat().map((endpoint) => [experimental.endpointToString(endpoint), endpoint]),
    );
    const list = [...endpoints.keys()].sort().join();
    // Report only changes: the balancer rebuilds its state with every list.
    if (list === this.#reported) return true;
    this.#reported = list;
    return this.#listener(experimental.statusOrFromValue([...endpoints.values()]), {}, null, '');
  }
}
