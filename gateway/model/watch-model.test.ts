import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../tests/until.ts';
import { createSemaphore } from '../domain/semaphore.ts';
import type { Metadata } from '../domain/servable.ts';
import { GatewayError, type Kind } from '../errors.ts';
import { parseCard } from './card.ts';
import { createTurns, POLLS_PER_SECOND } from './pace.ts';
import type { ModelState } from './state.ts';
import { ModelStates } from './states.ts';
import { WatchedModel, type WatchParts } from './watch-model.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

const METADATA: Metadata = {
  version: 1,
  protocol: 'tf-serving',
  signatures: new Map([
    [
      'serving_default',
      {
        inputs: [{ name: 'x', dtype: 'DT_FLOAT', shape: [-1, 4, 6, 3] }],
        outputs: [{ name: 'y', dtype: 'DT_FLOAT', shape: [-1, 2] }],
      },
    ],
  ]),
};

const CHECKS = 8;

/** Look-ups and proofs of the fake model server, by model. */
type Server = {
  /** Throws, as every look-up of the model then does. */
  lookUp?: (model: string) => Promise<void>;
  prove?: (model: string) => Promise<void>;
};

function watch(server: Server, names: readonly string[], signal: AbortSignal): ModelStates {
  const parts: WatchParts = {
    backend: {
      servers: () => ['s'],
      async metadata({ model }) {
        await server.lookUp?.(model);
        return METADATA;
      },
      async status(model) {
        await server.lookUp?.(model);
        return [{ version: 1, state: 'AVAILABLE', error: '' }];
      },
    },
    async prove({ card }) {
      await server.prove?.(card.name);
      return { state: 'proven', detail: '' };
    },
    explain: async () => undefined,
    unreachable: { reason: async () => '10.0.0.1:8500: gone', end() {} },
    log,
    turn: createTurns(),
    checks: createSemaphore(CHECKS),
  };
  const states = new ModelStates({ readyWhen: 'all', log, onChange() {}, isConnected: () => true });
  for (const name of names) {
    const card = parseCard(`name: ${name}\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]\n`, `/${name}`);
    states.add(name);
    const sink = { isReady: () => states.isReady(name), set: (state: ModelState) => states.set(name, state) };
    const model = new WatchedModel(card, parts, sink);
    void model.run();
    signal.addEventListener('abort', () => model.stop());
  }
  return states;
}

const fails = (kind: Kind) => Promise.reject(new GatewayError(kind, kind));

test('B10: a busy server takes no model away, one that is gone does; a proof may take longer than a look-up', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const proofs: string[] = [];
  const server: Server = {
    prove: async (model) => void proofs.push(model, ...(model === 'slow' ? [await sleep(5500, 'slow done')] : [])),
  };
  const states = watch(server, ['full', 'late', 'gone', 'slow'], stop.signal);
  await until(() => ['full', 'late', 'gone'].every((name) => states.isReady(name)));
  const known = { full: 'overloaded', late: 'model_timeout', gone: 'model_unavailable' } as const;
  server.lookUp = (model) => (model === 'slow' ? Promise.resolve() : fails(known[model as keyof typeof known]));
  await until(() => !states.isReady('gone') && states.isReady('slow'));
  assert.deepEqual([states.isReady('full'), states.isReady('late')], [true, true]);
  assert.deepEqual(states.all.get('gone'), {
    problem: 'model_unavailable',
    detail: '10.0.0.1:8500: gone',
    isPending: true,
  });
  assert.deepEqual(states.all.get('slow'), { version: 1, parity: { state: 'proven', detail: '' } });

  delete server.lookUp;
  await until(() => states.isReady('gone'));
  await sleep(2100);
  const counts = ['full', 'late', 'gone'].map((name) => proofs.filter((proof) => proof === name).length);
  assert.deepEqual(counts, [1, 1, 2], 'a known version stays known, and is proven again only after an outage');
});

test('B10: a version whose pictures are not answered is not ready, and says that the server is busy', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const states = watch({ prove: () => fails('model_timeout') }, ['m'], stop.signal);
  await until(
    () => states.all.get('m')?.problem === 'the model server is too busy to replay the pictures of version 1',
  );
});

test('A14: hundreds of missing models are looked up at a bounded rate, and one that appears is found', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const names = Array.from({ length: 300 }, (_, number) => `m${number}`);
  const present = new Set(['m0']);
  let lookUps = 0;
  const startMs = performance.now();
  const lookUp = async (model: string) => {
    lookUps += 1;
    if (!present.has(model)) await fails('model_not_found');
  };
  const states = watch({ lookUp }, names, stop.signal);
  await until(() => states.isReady('m0') && lookUps >= 3 * names.length);
  const allowed = POLLS_PER_SECOND * (1 + (performance.now() - startMs) / 1000);
  t.diagnostic(`came: ${lookUps} look-ups in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  assert.ok(lookUps <= 1.1 * allowed, `${lookUps} look-ups, ${allowed.toFixed()} allowed`);
  present.add('m7');
  await until(() => states.isReady('m7'));
});

test('A26: hundreds of models that appear at once are checked a few at a time', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const names = Array.from({ length: 300 }, (_, number) => `m${number}`);
  let running = 0;
  let most = 0;
  const prove = async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
  };
  const states = watch({ prove }, names, stop.signal);
  await until(() => names.every((name) => states.isReady(name)));
  t.diagnostic(`came: ${most} checks at once`);
  assert.ok(most <= CHECKS, `${most}`);
});
