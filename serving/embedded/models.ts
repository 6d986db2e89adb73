/** The configured models: watches their folders, holds their labels and finds the servable for a request. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';
import type { ModelConfig } from './model-config.ts';
import type { ModelSpec } from './protocol.ts';
import type { Runtime, Servable } from './servable.ts';
import { Servables, type VersionState } from './servables.ts';
import { failedPrecondition, invalidArgument, StatusError } from './status.ts';
import { findVersions, missingVersions } from './storage-path.ts';

export type ModelsOptions = {
  readonly runtime: Runtime;
  readonly log: Log;
  /** Interval between checks of the base paths. 0 or less: check once. */
  readonly pollMs: number;
  /** Whether a new label may point to a version that is not loaded yet. An existing label never moves to one. */
  readonly allowLabelsForUnavailable: boolean;
};

type Labels = ReadonlyMap<string, ReadonlyMap<string, number>>;

export class Models {
  readonly #options: ModelsOptions;
  readonly #servables: Servables;
  /** The last problem of each model, so that a poll logs only changes. */
  readonly #problems = new Map<string, string | undefined>();
  #configs: readonly ModelConfig[] = [];
  #labels: Labels = new Map();
  #reloads: Promise<unknown> = Promise.resolve();

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#servables = new Servables(options.runtime, options.log);
  }

  /**
   * Loads the first list of models and watches their folders. Resolves when each model that has versions has loaded or
   * failed to load: one broken model does not keep the others from being served.
   * @throws StatusError FAILED_PRECONDITION for an invalid label
   */
  async start(configs: readonly ModelConfig[]): Promise<void> {
    this.#configure(configs, this.#labelsOf(configs));
    await this.#poll();
    void this.#watch();
    const names = configs.map(({ name }) => name).filter((name) => this.states(name).length > 0);
    const failed = await this.#servables.settled(names);
    if (failed.length > 0) this.#options.log.error(notAvailable('servable', failed));
  }

  /**
   * Replaces the list. Resolves when its new models are available. Reloads run one at a time.
   * @throws StatusError UNKNOWN if a model cannot be loaded, FAILED_PRECONDITION for an invalid label
   */
  async reload(configs: readonly ModelConfig[]): Promise<void> {
    const reload = this.#reloads.then(() => this.#reload(configs));
    this.#reloads = reload.catch(() => undefined);
    return reload;
  }

  /**
   * Replaces the list by one that was read from the file again. Does not wait. A label whose version is not available
   * stays as it is; returns one text for each such label, so that the caller can try again.
   */
  async apply(configs: readonly ModelConfig[]): Promise<string[]> {
    const problems: string[] = [];
    const labels = new Map(
      configs.map((config) => {
        try {
          return [config.name, this.#checkedLabels(config)];
        } catch (error) {
          problems.push(String(error));
          return [config.name, this.#labels.get(config.name) ?? new Map()];
        }
      }),
    );
    this.#configure(configs, labels);
    await this.#poll();
    return problems;
  }

  /** The servable for a request. @throws StatusError INVALID_ARGUMENT or NOT_FOUND, with TF-Serving's texts */
  servable({ name, version, version_label: label }: ModelSpec): Servable {
    if (name === '') throw invalidArgument('ModelSpec has no name specified.');
    if (label === undefined) return this.#servables.acquire(name, version && Number(version.value));
    const labelled = this.#labels.get(name)?.get(label);
    if (labelled === undefined) throw invalidArgument(`Unrecognized servable version label: ${label}`);
    return this.#servables.acquire(name, labelled);
  }

  /** All versions of a model that were ever wanted, newest first. */
  states(name: string): [number, VersionState][] {
    return this.#servables.states(name);
  }

  async #reload(configs: readonly ModelConfig[]): Promise<void> {
    const known = new Set(this.#configs.map(({ name }) => name));
    const added = configs.map(({ name }) => name).filter((name) => !known.has(name));
    const before = new Set(added.flatMap((name) => this.states(name).map(([, state]) => state)));
    this.#configure(configs, this.#labelsOf(configs));
    await this.#poll();
    const failed = await this.#servables.settled(added, before);
    if (failed.length > 0) throw new StatusError('UNKNOWN', notAvailable('model', failed));
  }

  #labelsOf(configs: readonly ModelConfig[]): Labels {
    return new Map(configs.map((config) => [config.name, this.#checkedLabels(config)]));
  }

  #configure(configs: readonly ModelConfig[], labels: Labels): void {
    this.#labels = labels;
    const names = new Set(configs.map(({ name }) => name));
    const removed = this.#configs.filter(({ name }) => !names.has(name));
    this.#configs = configs;
    for (const { name } of removed) this.#servables.setWanted(name, new Map());
  }

  #checkedLabels({ name, labels }: ModelConfig): ReadonlyMap<string, number> {
    for (const [label, version] of labels) {
      const moved = (this.#labels.get(name)?.get(label) ?? version) !== version;
      const available = this.states(name).some(([one, { state }]) => one === version && state === 'AVAILABLE');
      if (available || (this.#options.allowLabelsForUnavailable && !moved)) continue;
      throw failedPrecondition(
        `Request to assign label to version ${version} of model ${name}, which is not currently available for inference`,
      );
    }
    return labels;
  }

  async #watch(): Promise<void> {
    await this.#poll();
    while (this.#options.pollMs > 0) {
      await sleep(this.#options.pollMs);
      await this.#poll();
    }
  }

  async #poll(): Promise<void> {
    await Promise.all(this.#configs.map((config) => this.#pollModel(config)));
  }

  async #pollModel(config: ModelConfig): Promise<void> {
    let problem: string | undefined;
    try {
      const found = await findVersions(config);
      // The list may have been replaced while the folder was read.
      if (!this.#configs.includes(config)) return;
      problem = missingVersions(config, new Set(found.keys()));
      this.#servables.setWanted(config.name, found);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (problem !== undefined && problem !== this.#problems.get(config.name)) this.#options.log.error(problem);
    this.#problems.set(config.name, problem);
  }
}

/** TF-Serving's text for versions that could not be loaded. */
function notAvailable(noun: 'servable' | 'model', failed: readonly string[]): string {
  return `${failed.length} ${noun}(s) did not become available: {${failed.join('')}}`;
}
