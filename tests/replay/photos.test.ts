/** `tensorgate replay` on real photos: the figures are those of expected.py, which has nothing of the gateway. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VerdictReport } from '../../gateway/cli/verdict/report.ts';
import { temporary } from '../candidates.ts';
import { runCli } from '../cli.ts';
import { needsDataset, PHOTOS, readPhoto, testPhotos } from '../dataset.ts';
import { predictImage, startGatewayFor } from '../gateway.ts';
import { until } from '../until.ts';
import { linesIn } from './log-lines.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODEL = 'serving/models/clothing-model';
/** Both are in the git history. */
const [OLD, NEW] = [2, 3];
/** As in expected.py. */
const STEP = 4;

type Expected = {
  readonly photos: number;
  readonly same: number;
  readonly interval: readonly [number, number];
  readonly meanDistance: number;
};
const expected = JSON.parse(await readFile(new URL('expected.json', import.meta.url), 'utf8')) as Expected;

const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: ROOT, maxBuffer: 2 ** 26 });

/** The last commit with a version that the checkout no longer has. Undefined in a checkout without its history. */
function commitOf(version: number): string | undefined {
  try {
    const removed = git('log', '-1', '--diff-filter=D', '--format=%H', '--', `${MODEL}/${version}/model.onnx`);
    return git('rev-parse', '--verify', `${removed.toString().trim()}^`).toString().trim();
  } catch {
    return undefined; // the test is skipped, and says why
  }
}

const versions = [OLD, NEW].map((version) => ({ version, commit: commitOf(version) }));
const missing = versions.filter(({ commit }) => commit === undefined).map(({ version }) => version);
const options = missing.length > 0 ? { skip: `the git history has no version ${missing} of the model` } : needsDataset;

test(`version ${NEW} against ${OLD} on real photos`, options, async (t) => {
  const folder = await temporary(t);
  const models = path.join(folder, 'models');
  const target = path.join(models, 'clothing-model');
  await mkdir(target, { recursive: true });
  await cp(path.join(ROOT, MODEL, 'model.yaml'), path.join(target, 'model.yaml'));
  for (const { version, commit = '' } of versions) {
    const archive = git('archive', commit, `${MODEL}/${version}`);
    execFileSync('tar', ['--extract', '--strip-components=3', '--directory', target], { input: archive });
  }

  const log = path.join(folder, 'log');
  const gateway = await startGatewayFor(t, { MODELS: models, PREDICTION_LOG: log });
  await gateway.ready();
  const photos = (await testPhotos()).filter((_, index) => index % STEP === 0);
  for (const { name } of photos) assert.equal((await predictImage(gateway, await readPhoto(name))).status, 200);
  await until(async () => (await linesIn(log)) === photos.length);

  const pictures = fileURLToPath(new URL('test/', PHOTOS));
  const compared = ['--version', `${NEW}`, '--against', `${OLD}`, '--pictures', pictures, '--gateway', gateway.url];
  const { stdout, stderr } = await runCli(['replay', log, ...compared, '--models', models, '--json']);
  const { candidate, reference, agreement } = JSON.parse(stdout || '{}') as VerdictReport;
  assert.deepEqual([candidate?.requests, reference?.requests], [expected.photos, expected.photos], stderr);
  assert.deepEqual([candidate.errors, reference.errors], [0, 0]);
  assert.deepEqual([agreement.compared, agreement.same], [expected.photos, expected.same]);
  for (const [index, bound] of expected.interval.entries())
    assert.ok(Math.abs((agreement.share?.interval[index] ?? 0) - bound) < 1e-6);
  assert.ok(Math.abs((agreement.meanDistance ?? 0) - expected.meanDistance) < 1e-3, `${agreement.meanDistance}`);
});
