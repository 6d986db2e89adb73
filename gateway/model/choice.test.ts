import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseServers, chooseVersion } from './choice.ts';
import type { Served } from './served.ts';

const signature = (input: string) =>
  new Map([['serving_default', { inputs: [{ name: input, dtype: 'DT_FLOAT', shape: [-1] }], outputs: [] }]]);

function served(server: string, version: number, input = 'x', kind: 'usable' | 'refused' = 'usable'): Served {
  const metadata = { version, protocol: 'tf-serving' as const, signatures: signature(input) };
  const parity = { state: 'unproven', detail: '' } as const;
  const verdict = kind === 'usable' ? ({ kind, parity } as const) : ({ kind, problem: 'differs' } as const);
  return { server, version, metadata, verdict, readMs: 0 };
}

/** The version for a fleet: the versions of each server. */
function chosen(...fleet: readonly (readonly number[])[]): number | undefined {
  return chosenAfter(undefined, ...fleet);
}

/** The same while `inUse` is the version in use. */
function chosenAfter(inUse: number | undefined, ...fleet: readonly (readonly number[])[]): number | undefined {
  const all = fleet.flatMap((versions, index) => versions.map((version) => served(`s${index}`, version)));
  const byVersion = Map.groupBy(all, ({ version }) => version);
  return chooseVersion(
    [...byVersion.values()].flatMap((group) => chooseServers(group) ?? []),
    inUse,
  )?.version;
}

test('A10: the newest version that half of the servers have answers requests that name none', () => {
  assert.equal(chosen(), undefined);
  assert.equal(chosen([1]), 1);
  assert.equal(chosen([1, 2], [1]), 2);
  assert.equal(chosen([2], [1]), 2);
  assert.equal(chosen([1, 2], [1], [1]), 1);
  assert.equal(chosen([2], [2], [1]), 2);
  assert.equal(chosen([1], [2], [3]), 3);
  assert.equal(chosen([1], [1], [2], [3], [4]), 1);
});

test('A10: the version in use makes room for an older one when fewer than a third of the servers have it', () => {
  assert.equal(chosenAfter(2, [2], [1], [1]), 2);
  assert.equal(chosenAfter(2, [2], [1], [1], [1]), 1);
  assert.equal(chosenAfter(1, [2], [1], [1]), 1);
  assert.equal(chosenAfter(1, [2], [1]), 2);
  assert.equal(chosenAfter(3, [2], [1]), 2);
});

test('A10: a version is asked only on servers where it may answer with the same signature', () => {
  const servers = (...all: Served[]) => [...(chooseServers(all)?.servers ?? [])];
  assert.deepEqual(servers(served('a', 1), served('b', 1)), ['a', 'b']);
  assert.deepEqual(servers(served('a', 1), served('b', 1, 'x', 'refused')), ['a']);
  assert.deepEqual(servers(served('a', 1, 'y'), served('b', 1), served('c', 1)), ['b', 'c']);
  assert.deepEqual(servers(served('a', 1, 'x', 'refused')), []);
});
