/** The statistics of `tensorgate drift`, against plain numpy on the same log. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BaselineBuilder } from '../../gateway/cli/baseline/build.ts';
import { driftOf } from '../../gateway/cli/drift/run.ts';
import { createRandom } from '../../gateway/domain/random.ts';
import { findClients } from '../clients/python.ts';
import { loggedRecord } from './logged-record.ts';

const SCRIPT = fileURLToPath(new URL('distances.py', import.meta.url));
const found = await findClients(['numpy']);

/** A record whose numbers and words are shifted by `shift`. */
function recordOf(random: () => number, shift: number) {
  return {
    amount: random() + random() + shift,
    calls: Math.floor(random() * 4 + 3 * shift),
    plan: ['gold', 'silver', 'basic', 'new'][Math.floor(random() * (3 + Math.min(1, shift)))] ?? '',
  };
}

test('PSI, Jensen-Shannon and L-infinity are those of numpy within 1e-6', {
  skip: 'missing' in found && found.missing,
}, async (t) => {
  assert.ok('program' in found);
  const folder = await mkdtemp(path.join(tmpdir(), 'distances-'));
  t.after(() => rm(folder, { recursive: true }));
  const random = createRandom(11);
  const builder = new BaselineBuilder({ model: 'm', version: 1 });
  for (let row = 0; row < 2000; row += 1) {
    const values = Object.entries(recordOf(random, 0)).map(([name, value]) => [`input.${name}`, value] as const);
    builder.add({ features: new Map(values) });
  }
  const baseline = path.join(folder, 'baseline.json');
  await writeFile(baseline, JSON.stringify(builder.baseline('rows')));
  for (const shift of [0, 0.1, 0.5, 3]) {
    const log = path.join(folder, 'log.jsonl');
    const lines = Array.from({ length: 700 }, () => JSON.stringify(loggedRecord('m', recordOf(random, shift))));
    await writeFile(log, `${lines.join('\n')}\n`);
    const { versions } = await driftOf([log], { baseline, models: folder, period: {}, minimum: 300 });
    const { stdout } = await promisify(execFile)(found.program, [SCRIPT, log, baseline]);
    const expected = JSON.parse(stdout) as Readonly<Record<string, Readonly<Record<string, number>>>>;
    const measured = (versions[0]?.features ?? []).flatMap(({ feature, statistics }) =>
      statistics.map(({ statistic, value }) => ({ feature, statistic, value })),
    );
    assert.equal(measured.length, 5);
    for (const { feature, statistic, value } of measured) {
      const wanted = expected[feature]?.[statistic] ?? Number.NaN;
      assert.ok(Math.abs((value ?? Number.NaN) - wanted) < 1e-6, `${feature} ${statistic}: ${value}, numpy ${wanted}`);
    }
  }
});
