import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../admission/admission.ts';
import { testContext } from '../domain/test-context.ts';
import { GatewayError, type Kind } from '../errors.ts';
import { parseCard } from '../model/card.ts';
import type { Routed } from '../model/route.ts';
import { predictKnown } from './predict-known.ts';
import type { VersionOutcome } from './version-outcome.ts';

const card = parseCard('name: m\ntraffic: {stable: 1, canary: {version: 2, share: 10%}}', '/m');
const metadata = { version: 1, protocol: 'tf-serving' as const, signatures: new Map() };
const routedTo = (version: number, role: Routed['role']): Routed => ({
  card,
  version,
  metadata,
  servers: new Set(['s']),
  role,
});
const CANARY = routedTo(2, 'canary');
const STABLE = routedTo(1, 'stable');

/** Predicts with the canary. What each version does; `again`: the version that is selected after a contradiction. */
async function outcomesOf(work: Readonly<Record<number, () => unknown>>, again?: Routed) {
  const outcomes: string[] = [];
  const notes = {};
  const context = testContext({ times: new Map([['predict', 5]]), note: (more) => void Object.assign(notes, more) });
  const stages = {
    route: {
      resolve: async () => CANARY,
      again: async (error: GatewayError) => again ?? Promise.reject(error),
    },
    admission: new Admission({ maxInFlight: 1, maxQueue: 1 }),
    onOutcome: ({ routed, outcome, predictMs }: VersionOutcome) =>
      void outcomes.push(`${routed.version} ${routed.role} ${outcome} ${predictMs}`),
  };
  const known = { servable: {}, routed: CANARY, images: 1 };
  await predictKnown(stages, known, context, async ({ version }) => work[version]?.()).catch(() => undefined);
  return { outcomes, notes };
}

const fail =
  (kind: Kind, isOutdated = false) =>
  () => {
    throw new GatewayError(kind, 'no', { isOutdated });
  };

test('an answer counts for its version and role, and the log has both', async () => {
  const { outcomes, notes } = await outcomesOf({ 2: () => 'ok' });
  assert.deepEqual(outcomes, ['2 canary ok 5']);
  assert.deepEqual(notes, { version: 2, traffic: 'canary' });
});

test('faults of the version and its servers are errors; those of the client, and overload, are not', async () => {
  for (const kind of ['model_failed', 'model_timeout', 'model_unavailable'] as const)
    assert.deepEqual((await outcomesOf({ 2: fail(kind) })).outcomes, ['2 canary error 5']);
  for (const kind of ['invalid_tensor', 'image_unreadable', 'overloaded', 'client_gone', 'source_failed'] as const)
    assert.deepEqual((await outcomesOf({ 2: fail(kind) })).outcomes, []);
});

test('a request of a version that is unloaded counts for the version that answers it, without a time', async () => {
  const { outcomes, notes } = await outcomesOf({ 2: fail('model_not_found', true), 1: () => 'ok' }, STABLE);
  assert.deepEqual(outcomes, ['1 stable ok undefined']);
  assert.deepEqual(notes, { version: 1, traffic: 'stable' });
});

test('a version whose answers lack an output is at fault, although another one is looked for', async () => {
  assert.deepEqual((await outcomesOf({ 2: fail('model_failed', true) })).outcomes, ['2 canary error 5']);
});
