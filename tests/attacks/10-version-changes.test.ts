/** Versions that change on two model servers while requests go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGatewayFor } from '../gateway.ts';
import { makeChanges, startFleet, startLoad } from '../version-changes.ts';

/** `CHANGES=200 PER_SECOND=50` is the long run. */
const { CHANGES = '12', PER_SECOND = '20' } = process.env;

test('A10, E15: renamed tensors, moved labels, withdrawn and wrong versions on two servers: no request fails', async (t) => {
  const fleet = await startFleet(t);
  const gateway = await startGatewayFor(t, { MODELS: fleet.models, TF_SERVING_HOST: fleet.target });
  await gateway.ready();
  const load = startLoad(gateway, Number(PER_SECOND));
  const made = await makeChanges(fleet, { count: Number(CHANGES), seed: 7, maxPauseMs: 500 });
  await load.stop();
  const versions = new Set(load.answers.map(({ version }) => version));
  const slowestMs = Math.max(...load.answers.map(({ tookMs }) => tookMs));
  t.diagnostic(
    `came: ${load.answers.length} answers, the slowest in ${slowestMs.toFixed()} ms; ${JSON.stringify(made)}`,
  );
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
  );
  assert.deepEqual(load.notReady, []);
  assert.ok(versions.size >= 2, `only the versions ${[...versions]} have answered`);
  assert.ok(versions.isDisjointFrom(fleet.refused), `one of ${[...fleet.refused]} has answered`);
});
