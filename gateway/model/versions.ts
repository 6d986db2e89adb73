/** What is known of one model: its versions on each model server, and whether each of them may answer. */
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { Metadata, VersionStatus } from '../domain/servable.ts';
import type { GatewayError } from '../errors.ts';
import { type Choice, chooseServers, chooseVersion } from './choice.ts';
import type { Served, Verdict } from './served.ts';

/** The last answer of a server to a poll. A busy server keeps what was known of it. */
type Server = {
  readonly versions: ReadonlyMap<number, Served>;
  readonly statuses: readonly VersionStatus[];
  readonly failure?: GatewayError | undefined;
};

const UNKNOWN: Server = { versions: new Map(), statuses: [] };

/** The versions of one model. The watch writes, requests read. */
export class ModelVersions {
  readonly #onChange: () => void;
  readonly #servers = new Map<string, Server>();
  #changed = Promise.withResolvers<void>();
  #choices: ReadonlyMap<number, Choice> | undefined;
  #newest: Choice | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Resolves at the next change. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  get servers(): ReadonlyMap<string, Server> {
    return this.#servers;
  }

  /** Every version on every server, newest first. */
  get all(): readonly Served[] {
    const all = [...this.#servers.values()].flatMap(({ versions }) => [...versions.values()]);
    return all.sort((one, other) => other.version - one.version);
  }

  /** The version for requests that name none. */
  get newest(): Choice | undefined {
    this.#choose();
    return this.#newest;
  }

  /** The version for requests that name none, without one of them. */
  newestBut(version: number | undefined): Choice | undefined {
    if (version === undefined) return this.newest;
    return chooseVersion([...this.#choose().values()].filter((choice) => choice.version !== version));
  }

  /** The servers where a version may answer. */
  find(version: number): Choice | undefined {
    return this.#choose().get(version);
  }

  /** Whether a version is read or checked now for the first time: it may be usable soon. Undefined: any version. */
  isBeingChecked(version?: number): boolean {
    return [...this.#servers.values()].some(({ statuses, versions }) =>
      statuses.some(({ version: one, state }) => {
        if (state !== 'AVAILABLE' || (version !== undefined && version !== one)) return false;
        const { kind, ...verdict } = versions.get(one)?.verdict ?? { kind: 'open' };
        return kind === 'open' && !('problem' in verdict);
      }),
    );
  }

  /** A server's answer: versions that are not AVAILABLE any more are forgotten. */
  setStatuses(server: string, statuses: readonly VersionStatus[]): void {
    const available = new Set(statuses.flatMap(({ version, state }) => (state === 'AVAILABLE' ? version : [])));
    const { versions } = this.#servers.get(server) ?? UNKNOWN;
    const kept = new Map([...versions].filter(([version]) => available.has(version)));
    this.#set(server, { versions: kept, statuses });
  }

  /** The metadata of a version. With other signatures than before, it has to be checked again. */
  setMetadata(server: string, version: number, metadata: Metadata): void {
    const before = this.#servers.get(server)?.versions.get(version);
    const isSame = isDeepStrictEqual(before?.metadata.signatures, metadata.signatures);
    const readMs = performance.now();
    if (before && isSame) this.#setServed({ ...before, readMs });
    else this.#setServed({ server, version, metadata, verdict: { kind: 'open' }, readMs });
  }

  /** The result of a check. Ignored when the server has other metadata since. */
  setVerdict({ server, version, metadata }: Served, verdict: Verdict): void {
    const now = this.#servers.get(server)?.versions.get(version);
    if (now?.metadata !== metadata) return;
    // A check that failed may mean that the metadata are out of date.
    this.#setServed({ ...now, verdict, ...(verdict.kind === 'open' && { readMs: Number.NEGATIVE_INFINITY }) });
  }

  /** Forgets one version of a server. */
  forget(server: string, version: number): void {
    const { statuses } = this.#servers.get(server) ?? UNKNOWN;
    this.setStatuses(
      server,
      statuses.filter((status) => status.version !== version),
    );
  }

  /** A poll failed. A busy server keeps its versions; after any other failure it may return with others. */
  setFailure(server: string, failure: GatewayError): void {
    const isBusy = failure.kind === 'overloaded' || failure.kind === 'model_timeout';
    this.#set(server, { ...(isBusy ? (this.#servers.get(server) ?? UNKNOWN) : UNKNOWN), failure });
  }

  /** Forgets all other servers. */
  keepServers(servers: ReadonlySet<string>): void {
    const gone = [...this.#servers.keys()].filter((server) => !servers.has(server));
    for (const server of gone) this.#servers.delete(server);
    if (gone.length > 0) this.#notify();
  }

  #setServed(served: Served): void {
    const { versions, ...rest } = this.#servers.get(served.server) ?? UNKNOWN;
    this.#set(served.server, { ...rest, versions: new Map([...versions, [served.version, served]]) });
  }

  #set(server: string, next: Server): void {
    const before = this.#servers.get(server);
    this.#servers.set(server, next);
    if (!isDeepStrictEqual(withoutTimes(before), withoutTimes(next))) this.#notify();
  }

  #notify(): void {
    this.#choices = undefined;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#onChange();
  }

  #choose(): ReadonlyMap<number, Choice> {
    if (!this.#choices) {
      const usable = Map.groupBy(this.all, ({ version }) => version);
      const choices = [...usable.values()].flatMap((served) => chooseServers(served) ?? []);
      this.#choices = new Map(choices.map((choice) => [choice.version, choice]));
      this.#newest = chooseVersion(choices, this.#newest?.version);
    }
    return this.#choices;
  }
}

function withoutTimes(server: Server | undefined): object | undefined {
  return server && { ...server, versions: [...server.versions.values()].map(({ readMs: _, ...served }) => served) };
}
