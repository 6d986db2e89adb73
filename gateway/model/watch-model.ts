/** Watches one model: polls every server, and checks each version once on each server. */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../domain/backend.ts';
import type { Semaphore } from '../domain/semaphore.ts';
import { asGatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { type CheckParts, checkVersion } from './check.ts';
import type { Choice } from './choice.ts';
import { Grace } from './grace.ts';
import { Labels } from './labels.ts';
import { Pace, resultOf, type Turn } from './pace.ts';
import { pollServer } from './poll.ts';
import type { Served } from './served.ts';
import { SharedRun } from './shared-run.ts';
import { type Split, Splits, stableChoice } from './splits.ts';
import type { ModelState } from './state.ts';
import { type StateParts, stateOf } from './state-of.ts';
import { ModelVersions } from './versions.ts';

/** Requests may ask for a poll of a server this often. */
const POLL_PAUSE_MS = 50;
/** Stands for all servers while none is connected. */
const NO_SERVER = '';

export type WatchParts = CheckParts &
  StateParts & {
    readonly backend: Pick<Backend, 'servers' | 'metadata' | 'status'>;
    /** Waits for the turn of a poll: all models share one rate. */
    readonly turn: Turn;
    /** The checks that run at once, for each server: all models share them. */
    readonly checks: Semaphore;
  };

/** Where the state goes. */
export type StateSink = { isReady(): boolean; set(state: ModelState): void };

export class WatchedModel {
  readonly labels: Labels;
  readonly splits: Splits;
  readonly versions: ModelVersions;
  #card: ModelCard;
  /** As the last report had it. */
  #split: Split = { isPinned: false, stable: undefined, canary: undefined };
  readonly #parts: WatchParts;
  readonly #sink: StateSink;
  readonly #grace = new Grace();
  readonly #pace = new Pace();
  readonly #polls = new Map<string, SharedRun>();
  readonly #checking = new Set<string>();
  readonly #report: SharedRun;
  readonly #stop = new AbortController();
  /** Metadata that were read before are read again. */
  #staleMs = Number.NEGATIVE_INFINITY;

  constructor(card: ModelCard, parts: WatchParts, sink: StateSink) {
    this.#card = card;
    this.#parts = parts;
    this.#sink = sink;
    this.labels = new Labels(parts.backend, card.name);
    this.splits = new Splits(this.labels);
    this.#report = new SharedRun(() => this.#reportState());
    this.versions = new ModelVersions(() => void this.#report.run());
  }

  get card(): ModelCard {
    return this.#card;
  }

  /** Sets a model.yaml that differs in nothing that is checked: versions keep their verdicts. */
  setCard(card: ModelCard): void {
    this.#card = card;
    void this.#report.run();
  }

  /** The versions of requests that name none: the stable one, and the canary. */
  get choices(): readonly Choice[] {
    const { canary } = this.#split;
    const choices = [
      stableChoice(this.versions, this.#split),
      canary === undefined ? undefined : this.versions.find(canary),
    ];
    return choices.filter((choice) => choice !== undefined);
  }

  /** Whether one of its versions was checked. */
  get isSettled(): boolean {
    return this.versions.all.some(({ verdict }) => verdict.kind !== 'open');
  }

  /** Watches until `stop` is called. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      for (const server of this.#findServers()) {
        const poll = this.#pollOf(server);
        if (poll.isRunning) continue;
        await this.#parts.turn(signal);
        if (!signal.aborted) void poll.run();
      }
      this.#countGrace();
      void this.#report.run();
      // A sleep fails only on abort, which the condition of the loop checks.
      await sleep(this.#pace.pauseMs(resultOf(this.versions)), undefined, { signal }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /**
   * Asks all servers now, because a request contradicts what is known. Waits until `over` at most: a server may hang.
   * `isOutdated`: signatures are read again too.
   */
  async look({ isOutdated, over }: { readonly isOutdated: boolean; readonly over: AbortSignal }): Promise<void> {
    if (isOutdated) this.#staleMs = performance.now();
    const polls = [...this.#findServers()]
      .filter((server) => server !== NO_SERVER)
      .map((server) => this.#pollOf(server).run());
    if (!over.aborted) await Promise.race([Promise.all(polls), once(over, 'abort')]);
  }

  /** The connected servers, and those that were until now. */
  #findServers(): ReadonlySet<string> {
    const servers = new Set(this.#parts.backend.servers());
    for (const [server, { versions }] of this.versions.servers) if (versions.size > 0) servers.add(server);
    if (servers.size === 0) servers.add(NO_SERVER);
    this.versions.keepServers(servers);
    for (const server of this.#polls.keys()) if (!servers.has(server)) this.#polls.delete(server);
    return servers;
  }

  #pollOf(server: string): SharedRun {
    const poll = this.#polls.get(server) ?? new SharedRun(() => this.#poll(server), POLL_PAUSE_MS);
    this.#polls.set(server, poll);
    return poll;
  }

  async #poll(server: string): Promise<void> {
    const { backend, unreachable } = this.#parts;
    const { signal } = this.#stop;
    if (server === NO_SERVER) return this.#connect();
    await pollServer({
      backend,
      model: this.card.name,
      server,
      versions: this.versions,
      staleMs: this.#staleMs,
      signal,
    });
    if (this.versions.servers.get(server)?.failure === undefined) unreachable.end();
    void this.#check(server);
  }

  /** Any call connects. The servers that it finds are polled at once. */
  async #connect(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#parts.backend.status(this.card.name, signal);
    } catch (thrown) {
      if (!signal.aborted) this.versions.setFailure(NO_SERVER, asGatewayError(thrown));
    }
    for (const server of this.#parts.backend.servers()) void this.#pollOf(server).run();
  }

  /** Checks the open versions of a server one by one, the newest first. One that fails is tried again after the next poll. */
  async #check(server: string): Promise<void> {
    if (this.#checking.has(server)) return;
    this.#checking.add(server);
    const tried = new Set<Served['metadata']>();
    for (;;) {
      const open = this.versions.all.find(
        (served) => served.server === server && served.verdict.kind === 'open' && !tried.has(served.metadata),
      );
      if (!open || this.#stop.signal.aborted) break;
      tried.add(open.metadata);
      await this.#checkInTurn(open);
    }
    this.#checking.delete(server);
  }

  async #checkInTurn(open: Served): Promise<void> {
    const { signal } = this.#stop;
    // It fails only on abort.
    const release = await this.#parts.checks.acquire(open.server, signal).catch(() => undefined);
    if (!release) return;
    try {
      this.versions.setVerdict(open, await checkVersion(this.#parts, this.card, open, signal));
    } finally {
      release();
    }
  }

  #countGrace(): void {
    if (stableChoice(this.versions, this.#split)) this.#grace.end();
    else if (!this.versions.isBeingChecked(this.#split.stable)) {
      const isFirst = this.#grace.count() === 1;
      if (!isFirst || !this.#sink.isReady()) return;
      this.#parts.log.info({ model: this.card.name }, 'no version of the model can answer; it stays ready for now');
    }
  }

  /** A lost server changes a ready model only after the grace period, a refused version at once. */
  async #reportState(): Promise<void> {
    const { card } = this;
    // Labels that no server can tell now mean what they meant.
    this.#split = await this.splits.read(card.traffic).catch(() => this.#split);
    const state = await stateOf(card, this.versions, this.#split, this.#parts);
    if (!state || this.#stop.signal.aborted || card !== this.#card) return;
    const { isPinned, stable } = this.#split;
    const isRefused = state.refused?.some(({ version }) => !isPinned || version === stable) ?? false;
    const isCertain = state.problem === undefined || isRefused;
    if (isCertain || !this.#sink.isReady() || this.#grace.isOver) this.#sink.set(state);
  }
}
