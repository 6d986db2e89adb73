import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import { stateOf } from './state-of.ts';
import { labelsOf, OPEN, REFUSED, USABLE, versionsOf } from './test-versions.ts';
import type { ModelVersions } from './versions.ts';

const parts = { explain: async () => undefined, unreachable: { reason: async () => 'gone', end() {} } };
const PARITY = USABLE.parity;

async function state(traffic: string, versions: ModelVersions, labels = {}) {
  const card = parseCard(`name: m\ntraffic: ${traffic}`, '/m');
  return stateOf(card, versions, await labelsOf(labels).splits.of(card.traffic), parts);
}

const VERSIONS = { 1: { a: USABLE }, 2: { a: REFUSED }, 3: { a: OPEN }, 4: { a: USABLE } };
const refused = [{ version: 2, problem: 'parity is differing: it is red' }];

for (const [traffic, wanted] of [
  ['{stable: 1}', { version: 1, parity: PARITY }],
  ['{stable: old}', { version: 1, parity: PARITY }],
  ['{stable: 7}', { problem: 'the stable version cannot answer: no model server has version 7' }],
  ['{stable: gone}', { problem: 'the stable version cannot answer: no version has the label gone' }],
  ['{stable: 2}', { problem: 'the stable version cannot answer: version 2: parity is differing: it is red' }],
  ['{stable: 3}', { problem: 'the stable version cannot answer: version 3 is being checked', isPending: true }],
  ['{canary: {version: 4, share: 10%}}', { version: 1, parity: PARITY, canary: { version: 4, share: 0.1 } }],
  [
    '{stable: 4, canary: {version: 7, share: 10%}}',
    {
      version: 4,
      parity: PARITY,
      canary: { version: 7, share: 0.1, problem: 'no model server has version 7' },
    },
  ],
  [
    '{stable: 4, canary: {version: gone, share: 10%}}',
    {
      version: 4,
      parity: PARITY,
      canary: { version: 'gone', share: 0.1, problem: 'no version has the label gone' },
    },
  ],
] as const)
  test(`the state says which version answers, and why the canary does not: ${traffic}`, async () => {
    assert.deepEqual(await state(traffic, versionsOf(VERSIONS), { old: 1 }), { ...wanted, refused });
  });

test('a model with no version but its canary is not ready; one whose servers are gone says so', async () => {
  const only = versionsOf({ 4: { a: USABLE } });
  const canary = { version: 4, share: 0.1 };
  assert.deepEqual(await state('{canary: {version: 4, share: 10%}}', only), {
    problem: 'no version but the canary can answer',
    canary,
  });
  const gone = versionsOf({});
  gone.setFailure('a', new GatewayError('model_unavailable', 'not reachable'));
  assert.deepEqual(await state('{stable: 3}', gone), { problem: 'not reachable', detail: 'gone', isPending: true });
});
