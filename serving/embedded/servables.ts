/** Loads and unloads versions to match the wanted ones. A new version is loaded before an old one is unloaded. */

import { EventEmitter, once } from 'node:events';
import type { Log } from './log.ts';
import type { ServableState } from './protocol.ts';
import { loadServable, type Runtime, type Servable } from './servable.ts';
import { asStatusError, notFound, type StatusError } from './status.ts';
import type { VersionFiles } from './storage-path.ts';

export type VersionState = { readonly state: ServableState; readonly error?: StatusError };

/** A version that is wanted or still loaded. */
type Version = {
  readonly source: VersionFiles;
  /** undefined while the version loads and after a failed load. */
  servable?: Servable;
  failed?: boolean;
};

type Model = {
  wanted: ReadonlyMap<number, VersionFiles>;
  readonly versions: Map<number, Version>;
  readonly states: Map<number, VersionState>;
};

const SETTLED: ReadonlySet<ServableState> = new Set(['AVAILABLE', 'END']);

export class Servables {
  readonly #runtime: Runtime;
  readonly #log: Log;
  readonly #models = new Map<string, Model>();
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(runtime: Runtime, log: Log) {
    this.#runtime = runtime;
    this.#log = log;
  }

  /**
   * Sets the wanted versions of a model and starts loading and unloading in the background. A version that failed to
   * load is retried when one of its files changes, because it may have been incomplete.
   */
  setWanted(name: string, wanted: ReadonlyMap<number, VersionFiles>): void {
    const model = this.#models.get(name) ?? { wanted, versions: new Map(), states: new Map() };
    this.#models.set(name, model);
    model.wanted = wanted;
    for (const [version, { failed, source }] of model.versions) {
      if (failed && wanted.get(version)?.stamp !== source.stamp) model.versions.delete(version);
    }
    this.#reconcile(name, model);
  }

  /** The servable of this version, or of the newest loaded one. @throws StatusError NOT_FOUND */
  acquire(name: string, version?: number): Servable {
    const loaded = [...(this.#models.get(name)?.versions ?? [])].flatMap(([, { servable }]) => servable ?? []);
    const newest = Math.max(...loaded.map((servable) => servable.version));
    const found = loaded.find((servable) => servable.version === (version ?? newest));
    if (found !== undefined) return found;
    const wanted = version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`;
    throw notFound(`Servable not found for request: ${wanted}`);
  }

  /** All versions of a model that were ever wanted, newest first. */
  states(name: string): [number, VersionState][] {
    return [...(this.#models.get(name)?.states ?? [])].sort(([a], [b]) => b - a);
  }

  /**
   * Waits until each model has a version that is available or has failed. States in `before` are ignored: they are from
   * an earlier period in which the model was served. Resolves with the models whose newest such version failed.
   */
  async settled(names: readonly string[], before: ReadonlySet<VersionState> = new Set()): Promise<string[]> {
    const newest = (name: string) =>
      this.states(name).find(([, status]) => SETTLED.has(status.state) && !before.has(status));
    while (!names.every(newest)) await once(this.#changes, 'change');
    return names.flatMap((name) => {
      const [version, status] = newest(name) as [number, VersionState];
      const reason = status.error ? ` due to error: ${status.error}` : '';
      return status.state === 'END' ? [`{{name: ${name} version: ${version}}${reason}}, `] : [];
    });
  }

  #reconcile(name: string, model: Model): void {
    for (const [version, source] of model.wanted) {
      if (!model.versions.has(version)) void this.#load(name, version, source);
    }
    const ready = [...model.wanted.keys()].some((version) => model.versions.get(version)?.servable);
    for (const [version, { servable }] of model.versions) {
      const replaced = ready || model.wanted.size === 0;
      if (servable && replaced && !model.wanted.has(version)) void this.#unload(model, servable);
    }
  }

  async #load(name: string, version: number, source: VersionFiles): Promise<void> {
    const model = this.#models.get(name) as Model;
    const entry: Version = { source };
    model.versions.set(version, entry);
    this.#publish(model, version, { state: 'START' });
    this.#publish(model, version, { state: 'LOADING' });
    this.#log.info(`Loading servable version {name: ${name} version: ${version}}`);
    try {
      entry.servable = await loadServable({ name, version }, source, this.#runtime);
      this.#log.info(`Successfully loaded servable version {name: ${name} version: ${version}}`);
      this.#publish(model, version, { state: 'AVAILABLE' });
    } catch (thrown) {
      const error = asStatusError(thrown);
      entry.failed = true;
      this.#log.error(`Loading servable: {name: ${name} version: ${version}} failed: ${error}`);
      this.#publish(model, version, { state: 'END', error });
    }
    this.#reconcile(name, model);
  }

  async #unload(model: Model, servable: Servable): Promise<void> {
    const { name, version } = servable;
    model.versions.delete(version);
    this.#publish(model, version, { state: 'UNLOADING' });
    await servable.close();
    // The version may be wanted again by now.
    if (!model.versions.has(version)) this.#publish(model, version, { state: 'END' });
    this.#log.info(`Done unloading servable version {name: ${name} version: ${version}}`);
  }

  #publish(model: Model, version: number, state: VersionState): void {
    model.states.set(version, state);
    this.#changes.emit('change');
  }
}
