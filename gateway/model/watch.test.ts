import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../../tests/until.ts';
import type { Metadata } from '../domain/servable.ts';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import type { ModelFolders } from './folders.ts';
import type { ModelState } from './state.ts';
import { ModelWatch } from './watch.ts';

const INPUT = { name: 'x', dtype: 'DT_FLOAT', shape: [-1, 4, 6, 3] };
const OUTPUT = { name: 'y', dtype: 'DT_FLOAT', shape: [-1, 2] };
const metadata = (version: number): Metadata => ({
  version,
  protocol: 'tf-serving',
  signatures: new Map([['serving_default', { inputs: [INPUT], outputs: [OUTPUT] }]]),
});

/** A watch over one model with these versions and labels, which may be changed. Proofs are counted by version. */
async function watched(t: TestContext, versions: number[], labels: Record<string, number> = {}) {
  const proofs: number[] = [];
  const lines: [string, object][] = [];
  const shown: (ModelState | undefined)[] = [];
  const tell = (fields: object, text: string) => void lines.push([text, fields]);
  const backend = {
    servers: () => ['s'],
    connect: async () => true,
    async metadata({ version, label }: { version?: number | undefined; label?: string | undefined }) {
      const found = label === undefined ? version : labels[label];
      if (found === undefined) throw new GatewayError('internal', 'Unrecognized servable version label');
      return metadata(found);
    },
    status: async () => versions.map((version) => ({ version, state: 'AVAILABLE' as const, error: '' })),
  };
  const servers = { backend, unreachable: { reason: async () => '', end() {} } };
  const watch = new ModelWatch({
    ...servers,
    serversOf: () => servers,
    readyWhen: 'all',
    explain: async () => undefined,
    log: { debug() {}, info: tell, warn: tell, error: tell },
    prove: async ({ version }) => {
      proofs.push(version);
      return { state: 'proven', detail: '' };
    },
    onChange: (_model, state) => void shown.push(state),
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const reload = async (more: string, tensorsMs = 1) =>
    watch.setModels(await watch.acceptable(folders(more, tensorsMs)));
  watch.setModels(folders('', 1));
  void watch.run(stop.signal);
  await until(() => watch.states.isReady('m') && proofs.length === versions.length);
  return { watch, proofs, lines, reload, state: () => watch.states.all.get('m'), shown };
}

function folders(more: string, tensorsMs: number): ModelFolders {
  const text = `name: m\nimage: {size: [4, 6], scale: tf}\nclasses: [a, b]\n${more}`;
  return {
    cards: new Map([['m', { ...parseCard(text, '/models/m'), tensorsMs }]]),
    mistakes: new Map(),
    others: new Map(),
  };
}

test('a change of traffic is used at once, without a new proof; new tensors and other fields need one', async (t) => {
  const { watch, proofs, reload, state } = await watched(t, [1, 2]);
  const model = watch.model('m');
  await reload('traffic: {stable: 1, canary: {version: 2, share: 10%}}');
  assert.equal(watch.model('m'), model);
  assert.deepEqual(watch.cards.get('m')?.traffic?.canary, { version: 2, share: 0.1 });
  await until(() => state()?.version === 1);
  assert.deepEqual(state()?.canary, { version: 2, share: 0.1 });
  await reload('traffic: {canary: {version: 1, share: 20%}}');
  await until(() => state()?.version === 2);
  await reload('traffic: {canary: {version: 1, share: 20%}}\nshadow: {version: 1, share: 20%}');
  assert.equal(watch.model('m')?.card.shadow?.share, 0.2);
  assert.deepEqual(proofs.toSorted(), [1, 2]);
  await reload('traffic: {canary: {version: 1, share: 20%}}', 2);
  await until(() => proofs.length === 4);
  await reload('traffic: {canary: {version: 1, share: 20%}}\ntimeout: 1s', 2);
  await until(() => proofs.length === 6);
});

test('a file whose stable version cannot answer is refused while the last one can, and used once it can', async (t) => {
  const versions = [1, 2];
  const labels: Record<string, number> = {};
  const { watch, lines, reload, state, shown } = await watched(t, versions, labels);
  await reload('traffic: {stable: 1}');
  const card = watch.cards.get('m');
  for (const [traffic, problem] of [
    ['{stable: 3}', 'no model server has version 3'],
    ['{stable: next}', 'no version has the label next'],
  ]) {
    await reload(`traffic: ${traffic}`);
    const mistake = `m/model.yaml: traffic: the stable version cannot answer: ${problem}`;
    assert.equal(state()?.mistake, mistake);
    assert.equal(shown.at(-1)?.mistake, mistake);
    assert.equal(watch.cards.get('m'), card);
    assert.ok(watch.states.isReady('m'));
    assert.deepEqual(lines.at(-1), [
      'model.yaml is refused; the last valid one stays in use',
      { model: 'm', problem: mistake },
    ]);
    const told = lines.length;
    await reload(`traffic: ${traffic}`);
    assert.equal(lines.length, told);
  }
  labels.next = 2;
  await until(async () => {
    await reload('traffic: {stable: next}');
    return state()?.version === 2;
  });
  assert.equal(state()?.mistake, undefined);
  assert.equal(shown.at(-1)?.mistake, undefined);
});

test('a model whose pinned version is missing from the start is not ready, and says why', async (t) => {
  const versions = [1, 2];
  const { watch, reload, state } = await watched(t, versions);
  await reload('traffic: {stable: 2}');
  versions.pop();
  await until(() => !watch.states.isReady('m'));
  assert.equal(state()?.problem, 'the stable version cannot answer: no model server has version 2');
  versions.push(2);
  await until(() => watch.states.isReady('m'));
});
