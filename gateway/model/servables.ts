/** Watches the served models: which version answers, whether it fits its model.yaml, and whether its parity is proven. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asGatewayError, GatewayError } from '../errors.ts';
import type { AskedServable, Backend, Log, Metadata, Servable } from '../pipeline/request.ts';
import type { ModelCard } from './card.ts';
import type { Parity } from './parity.ts';
import { type Binding, bind, SignatureMismatch } from './signatures.ts';

const POLL_READY_MS = 2000;
const POLL_WAITING_MS = 250;
const POLL_TIMEOUT_MS = 5000;

/** What is known of one model. `problem` is set exactly when it is not ready. */
export type ModelState = {
  readonly version?: number;
  readonly parity?: Parity;
  readonly problem?: string;
};

export type ServablesOptions = {
  readonly cards: ReadonlyMap<string, ModelCard>;
  readonly backend: Backend;
  readonly prove: (binding: Binding, signal: AbortSignal) => Promise<Parity>;
  readonly log: Log;
  readonly onChange: (model: string, state: ModelState) => void;
};

export type Servables = {
  /** Watches until the signal is aborted. */
  watch(signal: AbortSignal): Promise<void>;
  /** What a Predict for this servable needs. The model may be left out where there is only one. */
  resolve(servable: AskedServable, signal: AbortSignal): Promise<Binding>;
  states(): ReadonlyMap<string, ModelState>;
  /** Resolves when every model is ready for the first time. */
  readonly ready: Promise<void>;
};

/** Makes the watcher of all models that have a model.yaml. */
export function createServables({ cards, backend, prove, log, onChange }: ServablesOptions): Servables {
  const states = new Map<string, ModelState>(
    [...cards.keys()].map((name) => [name, { problem: 'the model server has not been asked yet' }]),
  );
  const latest = new Map<string, Binding>();
  const pinned = new Map<string, Binding>();
  const ready = Promise.withResolvers<void>();

  function enter(name: string, state: ModelState): void {
    const before = states.get(name);
    states.set(name, state);
    if (before?.problem === state.problem && before?.version === state.version) return;
    onChange(name, state);
    if (![...states.values()].some(({ problem }) => problem)) ready.resolve();
    if (state.problem) log.warn({ model: name, problem: state.problem }, 'model is not ready');
    else log.info({ model: name, version: state.version, parity: state.parity }, 'model is ready');
  }

  async function look(card: ModelCard, signal: AbortSignal): Promise<void> {
    const state = states.get(card.name);
    const metadata = await backend.metadata({ model: card.name }, signal);
    if (state?.version === metadata.version) return;
    const binding = card.image && bind(card, metadata);
    const parity = binding && (await prove(binding, signal));
    if (binding) latest.set(card.name, binding);
    const problem = parity?.state === 'differing' ? `parity is differing: ${parity.detail}` : undefined;
    enter(card.name, { version: metadata.version, ...(parity && { parity }), ...(problem && { problem }) });
  }

  async function explain(card: ModelCard, thrown: unknown, signal: AbortSignal): Promise<string> {
    if (thrown instanceof SignatureMismatch) return thrown.message;
    const { kind, message, cause } = asGatewayError(thrown);
    if (kind === 'internal') log.error({ cause }, 'the model could not be looked at');
    if (kind !== 'model_not_found') return message;
    const versions = await backend.status(card.name, signal);
    const words = versions.map(({ version, state, error }) => `version ${version} is ${state}${error && `: ${error}`}`);
    return words.join('; ') || message;
  }

  async function watchOne(card: ModelCard, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]);
      try {
        await look(card, patience);
      } catch (thrown) {
        if (signal.aborted) return;
        if (thrown instanceof SignatureMismatch) latest.delete(card.name);
        const problem = await explain(card, thrown, patience).catch((cause) => asGatewayError(cause).message);
        enter(card.name, { problem });
      }
      const pauseMs = states.get(card.name)?.problem ? POLL_WAITING_MS : POLL_READY_MS;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  function find({ model }: AskedServable): ModelCard & { image: object } {
    const [only] = cards.values();
    const card = model === undefined && cards.size === 1 ? only : cards.get(model ?? '');
    const names = [...cards.keys()].join(', ');
    if (model === undefined && !card) throw new GatewayError('invalid_request', `model: choose one of ${names}`);
    if (!card) throw new GatewayError('model_not_found', `model: there is no such model; there are ${names}`);
    if (!card.image) throw new GatewayError('invalid_request', `model: ${card.name} takes tensors, not images`);
    return { ...card, image: card.image };
  }

  async function resolvePinned(card: ModelCard, servable: Servable, signal: AbortSignal): Promise<Binding> {
    const key = `${card.name}/${servable.version}`;
    const known = servable.version === undefined ? undefined : pinned.get(key);
    if (known) return known;
    const metadata: Metadata = await backend.metadata(servable, signal);
    try {
      const binding = bind(card, metadata);
      if (servable.version !== undefined) pinned.set(key, binding);
      return binding;
    } catch (cause) {
      throw new GatewayError('model_unavailable', 'The version does not fit its model.yaml.', { cause });
    }
  }

  return {
    async watch(signal) {
      await Promise.all([...cards.values()].map((card) => watchOne(card, signal)));
    },
    async resolve(servable, signal) {
      const card = find(servable);
      const { version, label } = servable;
      if (version !== undefined) return resolvePinned(card, { model: card.name, version }, signal);
      if (label !== undefined) return resolvePinned(card, { model: card.name, label }, signal);
      const binding = latest.get(card.name);
      if (binding) return binding;
      throw new GatewayError('model_unavailable', `The model ${card.name} is not available yet.`, {
        cause: new Error(states.get(card.name)?.problem),
      });
    },
    states: () => states,
    ready: ready.promise,
  };
}
