import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../admission/admission.ts';
import type { Backend, TensorsTarget } from '../domain/backend.ts';
import type { Metadata } from '../domain/servable.ts';
import type { Tensor } from '../domain/tensor.ts';
import { testContext } from '../domain/test-context.ts';
import { GatewayError } from '../errors.ts';
import { ExplainShare } from '../explain/share.ts';
import { parseCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import { infer } from './infer.ts';

const CARD = parseCard('name: churn', '/models/churn');
const INPUTS = new Map<string, Tensor>([['x', { dtype: 'DT_UINT8', shape: [2], bytes: Uint8Array.of(3, 4) }]]);

/** A version whose signature `serving_default` has these outputs. */
function version(number: number, ...outputs: string[]): Routed {
  const info = (name: string) => ({ name, dtype: 'DT_UINT8', shape: [-1] });
  const signatures = new Map([['serving_default', { inputs: [info('x')], outputs: outputs.map(info) }]]);
  const metadata: Metadata = { version: number, protocol: 'tf-serving', signatures };
  return { card: CARD, version: number, metadata, servers: new Set(['s']), role: 'stable' };
}

/** Stages whose server has `loaded`, and answers each wanted output with the first input. */
function rig(loaded: number, next = version(loaded, 'y', 'z')) {
  const calls: TensorsTarget[] = [];
  const backend: Pick<Backend, 'predict'> = {
    async predict(target, inputs) {
      calls.push(target);
      if (target.servable.version !== loaded) throw new GatewayError('model_not_found', '', { isOutdated: true });
      const [tensor] = inputs.values();
      assert.ok(tensor);
      return { version: loaded, outputs: new Map(target.answer.outputs.map((name) => [name, tensor])) };
    },
  };
  const route = { resolve: async () => next, again: async () => next };
  return {
    calls,
    stages: {
      route,
      admission: new Admission({ maxInFlight: 1, maxQueue: 1 }),
      ownAdmission: () => undefined,
      baselineOf: async () => undefined,
      backend: backend as Backend,
      checkEncoded() {},
      explainShare: new ExplainShare({ maxCalls: 100, concurrency: 1 }),
    },
  };
}

const request = (routed: Routed, outputs?: string[]) =>
  ({ servable: {}, routed, signature: 'serving_default', inputs: INPUTS, rows: 2, outputs }) as const;

test('tensors are sent to the version that was resolved, and all its outputs come back', async () => {
  const { stages, calls } = rig(7);
  const { version: answered, outputs } = await infer(stages, request(version(7, 'y', 'z')), testContext());
  assert.deepEqual([answered, [...outputs.keys()]], [7, ['y', 'z']]);
  assert.deepEqual(calls[0]?.servable, { model: 'churn', version: 7 });
  assert.deepEqual(calls[0]?.answer, { outputs: ['y', 'z'], wantedElements: 2, elements: 2 });
});

test('only the wanted outputs are asked for; an unknown one is refused with those there are', async () => {
  const { stages } = rig(7);
  const { outputs } = await infer(stages, request(version(7, 'y', 'z'), ['z']), testContext());
  assert.deepEqual([...outputs.keys()], ['z']);
  await assert.rejects(infer(stages, request(version(7, 'y'), ['w']), testContext()), {
    kind: 'invalid_request',
    message: 'outputs: no w in this signature; it has y',
  });
});

test('a version that was unloaded is selected again, unless the new one has another signature', async () => {
  const { stages } = rig(8);
  assert.equal((await infer(stages, request(version(7, 'y', 'z')), testContext())).version, 8);
  const { stages: renamed } = rig(8, version(8, 'other'));
  await assert.rejects(infer(renamed, request(version(7, 'y', 'z')), testContext()), { kind: 'model_failed' });
});
