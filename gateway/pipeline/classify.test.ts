import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admission } from '../admission/admission.ts';
import type { Backend } from '../domain/backend.ts';
import type { Instance } from '../domain/picture.ts';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { ExplainShare } from '../explain/share.ts';
import { createWriters } from '../image/normalise.ts';
import { ByteBudget } from '../machine/byte-budget.ts';
import type { Routed } from '../model/route.ts';
import type { Binding } from '../model/signatures.ts';
import { classify } from './classify.ts';
import type { Stages } from './stages.ts';

const PICTURE = await readFile(new URL('../../tests/golden/images/jpg-17x16.jpg', import.meta.url));
const BINDING = {
  card: { name: 'm', signature: 's', image: {}, classes: ['a', 'b'], scores: 'logits' },
  version: 1,
  signature: 's',
  image: {},
  input: { name: 'x', dtype: 'DT_UINT8', shape: [1] },
  output: 'y',
  answer: { outputs: ['y'], wantedElements: 2, elements: 2 },
} as unknown as Binding;

const ROUTED: Routed = {
  card: BINDING.card,
  version: 1,
  metadata: { version: 1, protocol: 'tf-serving', signatures: new Map() },
  binding: BINDING,
  servers: new Set(['s']),
  role: 'stable',
};

/** Answers each row with two scores, the first of which is the row's byte. */
const BACKEND: Pick<Backend, 'prepare'> = {
  prepare(_target, capacity) {
    const tensor = new Uint8Array(capacity);
    return {
      tensor,
      setString() {},
      single: () => assert.fail('one call has all rows'),
      inputBytes: (count) => count,
      async send(count) {
        const values = Array.from({ length: count }, (_, row) => [tensor[row] ?? 0, 0]).flat();
        const bytes = new Uint8Array(Float32Array.from(values).buffer);
        return { version: 1, outputs: new Map([['y', { dtype: 'DT_FLOAT', shape: [count, 2], bytes }]]) };
      },
      release() {},
    };
  },
};

/** Stages whose decoding takes a moment; `decode` may fail for an instance by its field. Counts what runs at once. */
function rig({ decode = (_field: string) => {}, maxInFlight = 16, fetchedBytes = 1e6, maxFetchedBytes = 1e6 } = {}) {
  const counts = { decoding: 0, most: 0, fetches: 0 };
  const admission = new Admission({ maxInFlight, maxQueue: 100 });
  const budget = new ByteBudget(fetchedBytes);
  const stages = {
    route: {
      resolve: async () => ROUTED,
      async again(error) {
        throw error;
      },
    },
    admission,
    async fetch(_url, field, _context, onBytes) {
      counts.fetches += 1;
      await sleep(1);
      const refusal = onBytes?.(PICTURE.length);
      if (refusal) throw new GatewayError(refusal.kind, `${field}: ${refusal.message}`);
      return PICTURE;
    },
    fetchedBytes: budget,
    maxFetchedBytes,
    async fillRow({ field }, rows) {
      counts.decoding += 1;
      counts.most = Math.max(counts.most, counts.decoding);
      try {
        await sleep(1);
        decode(field);
        rows.fill((row) => {
          row[0] = Number(field.replace(/\D/g, ''));
          return true;
        });
        return 'jpeg';
      } finally {
        counts.decoding -= 1;
      }
    },
    checkEncoded() {},
    writersOf: createWriters,
    explainShare: new ExplainShare({ maxCalls: 100, concurrency: 1 }),
    measurePixels: () => ({ brightness: 0, contrast: 0, sharpness: 0 }),
    backend: BACKEND as Backend,
    ownAdmission: () => undefined,
    baselineOf: async () => undefined,
  } satisfies Stages;
  return { stages: stages as Stages, counts, admission, budget };
}

function uploads(count: number): Instance[] {
  return Array.from({ length: count }, (_, index) => ({ kind: 'bytes', bytes: PICTURE, field: `file[${index}]` }));
}

function urls(count: number): Instance[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'url',
    url: `http://a/${index}`,
    field: `url[${index}]`,
  }));
}

const request = (instances: readonly Instance[]) => ({
  model: { servable: {}, routed: ROUTED },
  instances,
  wants: 'raw' as const,
});

test('each instance gets the scores of its own row', async () => {
  const { stages } = rig();
  const { outcomes } = await classify(stages, request([...uploads(5), ...urls(5)]), testContext());
  const firsts = outcomes.map((outcome) => 'scores' in outcome && outcome.scores[0]?.[1]);
  assert.deepEqual(firsts, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
});

test("an instance's internal failure is its own outcome, and nothing runs after the answer", async () => {
  const fail = (field: string) => {
    if (field === 'file[3]') throw new Error('a fault');
  };
  const { stages, counts } = rig({ decode: fail });
  const { outcomes } = await classify(stages, request(uploads(16)), testContext());
  assert.equal(counts.decoding, 0);
  const kinds = outcomes.map((outcome) => ('error' in outcome ? outcome.error.kind : 'none'));
  assert.deepEqual(
    kinds,
    Array.from({ length: 16 }, (_, index) => (index === 3 ? 'internal' : 'none')),
  );
});

test('batches that fail do not raise the number of images that are decoded at once', async () => {
  const fail = () => {
    throw new Error('a fault');
  };
  const { stages, counts, admission } = rig({ decode: fail, maxInFlight: 3 });
  for (let round = 0; round < 10; round += 1) {
    const runs = [1, 2, 3].map(() => classify(stages, request(uploads(16)), testContext()));
    for (const run of runs) await assert.rejects(run, { kind: 'internal' });
  }
  assert.deepEqual([counts.most, counts.decoding, admission.inFlight, admission.queued], [3, 0, 0, 0]);
});

test('MAX_IN_FLIGHT=1 decodes one image at a time, also those of a batch', async () => {
  const { stages, counts } = rig({ maxInFlight: 1 });
  await Promise.all([8, 1, 8].map((count) => classify(stages, request(uploads(count)), testContext())));
  assert.equal(counts.most, 1);
});

test('a request that is aborted ends after its work, and leaves the other images undone', async () => {
  const gone = new AbortController();
  const { stages, counts, admission } = rig({ decode: () => gone.abort() });
  const run = classify(stages, request(uploads(64)), testContext({ signal: gone.signal }));
  await assert.rejects(run, { kind: 'client_gone' });
  assert.deepEqual([counts.decoding, admission.inFlight], [0, 0]);
  assert.ok(counts.most <= 8);
});

test('when no instance can be read, the first error is the one of the request, and no room is taken', async () => {
  const { stages, admission } = rig({ maxFetchedBytes: 1 });
  await assert.rejects(classify(stages, request(urls(2)), testContext()), (error: GatewayError) => {
    assert.equal(error.kind, 'source_too_large');
    assert.match(error.message, /^url\[0\]: .*send fewer at once/);
    return true;
  });
  assert.equal(admission.inFlight, 0);
});

test('fetched images are bounded for one request and for all, and their bytes are given back', async () => {
  const { stages, budget } = rig({ fetchedBytes: 3 * PICTURE.length, maxFetchedBytes: 2 * PICTURE.length });
  const kindsOf = async (count: number) => {
    const { outcomes } = await classify(stages, request(urls(count)), testContext());
    return outcomes.map((outcome) => ('error' in outcome ? outcome.error.kind : 'none'));
  };
  assert.deepEqual(await kindsOf(3), ['none', 'none', 'source_too_large']);
  const other = budget.open();
  assert.ok(other.take(2 * PICTURE.length));
  assert.deepEqual(await kindsOf(2), ['none', 'overloaded']);
  assert.ok(other.take(PICTURE.length), 'nothing is held after the answers');
});
