import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { entriesOf, type Lock, problemsOf, readLock } from './lock.ts';

const GOOD = { version: '1.2.3', integrity: 'sha512-AAAA' };
const lockWith = (path: string, entry: object) => ({ packages: { '': {}, [path]: entry } }) as Lock;

test('G13: the lock has versions and hashes, and no download addresses', async () => {
  assert.deepEqual(problemsOf(await readLock()), []);
});

test('G14: a version below its minimum is refused, also nested in the lock', async () => {
  const lock = await readLock();
  const below = Object.entries({ sharp: '0.34.9', 'body-parser': '2.2.9', qs: '6.14.0', undici: '7.18.1' });
  for (const [name, version] of [...below, ['@grpc/grpc-js', '1.9.15'] as const]) {
    assert.ok(
      entriesOf(lock).some(([path]) => path === `node_modules/${name}`),
      `${name} is not in the lock`,
    );
    const [problem, ...rest] = problemsOf(lockWith(`node_modules/x/node_modules/${name}`, { ...GOOD, version }));
    assert.match(problem ?? '', /is .*, below /);
    assert.deepEqual(rest, []);
  }
});

test('G13: an address, a missing hash, a hash other than SHA-512 and a git version are refused', () => {
  const address = { ...GOOD, resolved: 'https://registry.example.com/a/-/a-1.2.3.tgz' };
  const cases: readonly (readonly [object, RegExp])[] = [
    [address, /comes from an address/],
    [{ version: '1.2.3' }, /has no SHA-512 hash/],
    [{ version: '1.2.3', integrity: 'sha1-AAAA' }, /has no SHA-512 hash/],
    [{ version: '1.2.3', optional: true, os: ['linux'] }, /has no SHA-512 hash/],
    [{ ...GOOD, version: 'git+ssh://git@example.com/a.git#1' }, /is not an exact version/],
  ];
  for (const [entry, problem] of cases) assert.match(problemsOf(lockWith('node_modules/a', entry)).join(), problem);
  assert.deepEqual(problemsOf(lockWith('node_modules/a', GOOD)), []);
});

test('G13: package.json has exact versions, and install scripts are disabled', async () => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(text) as Record<
    string,
    Record<string, string>
  >;
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
  assert.match(await readFile(new URL('../../.npmrc', import.meta.url), 'utf8'), /^ignore-scripts=true$/m);
});
