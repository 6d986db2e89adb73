import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metadata, VersionStatus } from '../domain/servable.ts';
import { GatewayError } from '../errors.ts';
import { parseCard } from './card.ts';
import type { Verdict } from './served.ts';
import { stateOf } from './state-of.ts';
import { ModelVersions } from './versions.ts';

const available = (...versions: number[]): VersionStatus[] =>
  versions.map((version) => ({ version, state: 'AVAILABLE', error: '' }));

const metadata = (version: number, input = 'x'): Metadata => ({
  version,
  protocol: 'tf-serving',
  signatures: new Map([['s', { inputs: [{ name: input, dtype: 'DT_FLOAT', shape: [-1] }], outputs: [] }]]),
});

const PROVEN: Verdict = { kind: 'usable', parity: { state: 'proven', detail: '' } };
const REFUSED: Verdict = { kind: 'refused', problem: 'parity is differing: red' };

/** Versions, with the number of changes so far. */
function known() {
  const count = { changes: 0 };
  const versions = new ModelVersions(() => {
    count.changes += 1;
  });
  const judge = (server: string, version: number, verdict: Verdict) => {
    const served = versions.servers.get(server)?.versions.get(version);
    assert.ok(served);
    versions.setVerdict(served, verdict);
  };
  const learn = (server: string, version: number, verdict?: Verdict, input?: string) => {
    versions.setMetadata(server, version, metadata(version, input));
    if (verdict) judge(server, version, verdict);
  };
  return { versions, learn, judge, count };
}

test('A10: a version that a server unloads, and a server that is lost, are forgotten; a busy one keeps what it has', () => {
  const { versions, learn } = known();
  versions.setStatuses('a', available(1, 2));
  learn('a', 1, PROVEN);
  learn('a', 2, PROVEN);
  assert.deepEqual([versions.newest?.version, versions.find(1)?.servers], [2, new Set('a')]);
  versions.setStatuses('a', [...available(1), { version: 2, state: 'UNLOADING', error: '' }]);
  assert.equal(versions.newest?.version, 1);
  versions.setFailure('a', new GatewayError('overloaded', ''));
  assert.equal(versions.newest?.version, 1);
  versions.setFailure('a', new GatewayError('model_unavailable', ''));
  assert.equal(versions.newest, undefined);
});

test('A10: metadata that stay the same keep the verdict; other ones, or an old verdict, do not', () => {
  const { versions, learn, judge, count } = known();
  versions.setStatuses('a', available(1));
  learn('a', 1, PROVEN);
  const { changes } = count;
  versions.setStatuses('a', available(1));
  learn('a', 1);
  assert.deepEqual([versions.newest?.version, count.changes], [1, changes]);
  const old = versions.all[0];
  assert.ok(old);
  learn('a', 1, undefined, 'renamed');
  assert.deepEqual([versions.newest, versions.isBeingChecked(1)], [undefined, true]);
  versions.setVerdict(old, PROVEN);
  assert.equal(versions.newest, undefined);
  judge('a', 1, PROVEN);
  assert.equal(versions.find(1)?.metadata.signatures.get('s')?.inputs[0]?.name, 'renamed');
});

test('A10: a version is being checked from the moment that a server lists it, until its first check has ended', () => {
  const { versions, learn, judge } = known();
  versions.setStatuses('a', available(3));
  assert.deepEqual(
    [versions.isBeingChecked(), versions.isBeingChecked(3), versions.isBeingChecked(2)],
    [true, true, false],
  );
  learn('a', 3);
  assert.equal(versions.isBeingChecked(3), true);
  judge('a', 3, { kind: 'open', problem: 'the model server is too busy' });
  assert.equal(versions.isBeingChecked(3), false);
});

test('A10: the state names the version in use and the refused ones; without any version the reason that says most', async () => {
  const card = parseCard('name: m', '/m');
  const parts = {
    explain: async () => undefined,
    unreachable: { reason: async () => 'a: connection refused', end() {} },
  };
  const { versions, learn } = known();
  const state = () => stateOf(card, versions, { isPinned: false, stable: undefined, canary: undefined }, parts);
  assert.equal(await state(), undefined);
  versions.setFailure('a', new GatewayError('model_unavailable', 'not reachable'));
  assert.deepEqual(await state(), { problem: 'not reachable', detail: 'a: connection refused', isPending: true });
  versions.setFailure('b', new GatewayError('model_not_found', 'no such model'));
  assert.deepEqual(await state(), { problem: 'no such model' });
  versions.setStatuses('b', [{ version: 4, state: 'LOADING', error: '' }]);
  assert.deepEqual(await state(), { problem: 'version 4 is LOADING' });
  versions.setStatuses('b', available(4, 5));
  learn('b', 5, REFUSED);
  learn('b', 4);
  assert.deepEqual(await state(), { problem: 'version 4 is being checked', isPending: true });
  learn('b', 4, PROVEN);
  const refused = [{ version: 5, problem: REFUSED.problem }];
  assert.deepEqual(await state(), { version: 4, parity: { state: 'proven', detail: '' }, refused });
  versions.setStatuses('b', available(5));
  assert.deepEqual(await state(), { version: 5, problem: REFUSED.problem, refused });
});
