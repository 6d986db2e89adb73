/** Checks of versions on a volume, by `kubernetes/models.sh`: pushed, rolled back, tried as a canary, and one that does not load. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { savedModel } from '../candidates.ts';
import { NEWEST } from '../committed-model.ts';
import { MODEL, readyPodsOf, run, seconds, until } from './kubectl.ts';
import { type Answer, ask, assertNoneFailed, RPS, startTraffic, summary } from './traffic.ts';

const NAME = 'clothing-model';
const GATEWAYS = 2;
/** Two gateways look for versions every second, each at its own time. */
const MAX_OVERLAP_MS = 10_000;

const models = (command: string, ...args: readonly string[]): Promise<string> =>
  run('kubernetes/models.sh', command, ...args);

async function push(folder = path.join(MODEL, `${NEWEST}`)): Promise<number> {
  const text = await models('push', folder, '--model', NAME, '--wait', '2m', '--json');
  return (JSON.parse(text) as { version: number }).version;
}

/** The table. "wait" is a verdict too: exit code 3. */
async function verdict(): Promise<string> {
  try {
    return await models('verdict', NAME);
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    assert.equal(code, 3, stdout);
    return stdout;
  }
}

const answersOf = (url: string, version: number): Promise<true> =>
  until(`answers of version ${version}`, 20_000, async () =>
    (await ask(url)).version === `${version}` ? true : undefined,
  );

/** Counts the ready pods of the gateway every half second, until it is stopped. Resolves to the fewest. */
function watchReady(t: TestContext): () => Promise<number> {
  let [fewest, isStopped] = [GATEWAYS, false];
  const watching = (async () => {
    while (!isStopped) {
      fewest = Math.min(fewest, (await readyPodsOf('gateway')).length);
      await sleep(500);
    }
  })();
  const stop = async () => {
    isStopped = true;
    await watching;
    return fewest;
  };
  t.after(stop);
  return stop;
}

/** From the first answer of a version to the last answer of the one before, in ms. */
function overlapMs(answers: readonly Answer[], before: number, then: number): number {
  const times = (version: number) =>
    answers.filter((answer) => answer.version === `${version}`).map(({ atMs, tookMs }) => atMs - tookMs);
  return Math.max(...times(before)) - Math.min(...times(then));
}

async function pushAndRollBack(t: TestContext, url: string): Promise<void> {
  const traffic = startTraffic(t, url, RPS);
  const fewestReady = watchReady(t);
  const start = performance.now();
  const version = await push();
  assert.ok(version > NEWEST);
  t.diagnostic(`version ${version} on every pod: ${seconds(start)}`);
  await answersOf(url, version);
  await sleep(MAX_OVERLAP_MS);
  const overlap = overlapMs(traffic.answers, NEWEST, version);
  t.diagnostic(`the last answer of version ${NEWEST} came ${Math.round(overlap)} ms after the first of ${version}`);
  assert.ok(overlap < MAX_OVERLAP_MS / 2, `${overlap} ms`);
  await models('rollback', NAME, '--to', `${NEWEST}`, '--wait', '2m');
  await answersOf(url, NEWEST);
  t.diagnostic(summary(await traffic.stop()));
  assertNoneFailed(traffic.answers, 10);
  assert.equal(await fewestReady(), GATEWAYS, 'a gateway was not ready for a while');
}

async function tryCanary(t: TestContext, url: string): Promise<void> {
  const traffic = startTraffic(t, url, RPS);
  const fewestReady = watchReady(t);
  // Pins the version that answers, before the new one is there.
  await models('promote', NAME, '--version', `${NEWEST}`);
  const version = await push();
  const pushedAt = traffic.answers.length;
  assert.ok(traffic.answers.every((answer) => answer.version === `${NEWEST}`));
  await models('canary', NAME, '--version', `${version}`, '--share', '30%');
  await answersOf(url, version);
  const since = traffic.answers.length;
  await until('300 answers', 120_000, async () => (traffic.answers.length >= since + 300 ? true : undefined));
  const split = traffic.answers.slice(since);
  const share = split.filter((answer) => answer.version === `${version}`).length / split.length;
  t.diagnostic(
    `the canary answered ${(100 * share).toFixed(1)} % of ${split.length} requests, after ${pushedAt} without it`,
  );
  // Four standard deviations of 300 requests at 30 %.
  assert.ok(Math.abs(share - 0.3) < 0.106, `${share}`);
  t.diagnostic(await verdict());
  await models('promote', NAME);
  await until('no answer of the old version', 20_000, async () => {
    const last = traffic.answers.slice(-40);
    return last.every((answer) => answer.version === `${version}`) ? true : undefined;
  });
  await models('promote', NAME, '--version', `${NEWEST}`);
  await answersOf(url, NEWEST);
  t.diagnostic(summary(await traffic.stop()));
  assertNoneFailed(traffic.answers, 300);
  assert.equal(await fewestReady(), GATEWAYS, 'a gateway was not ready for a while');
  await models('rollback', NAME, '--to', `${NEWEST}`, '--wait', '2m');
}

async function pushBroken(t: TestContext, url: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cluster-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(path.join(MODEL, `${NEWEST}`), path.join(folder, '1'), { recursive: true });
  await writeFile(path.join(folder, '1/saved_model.pb'), savedModel('VarHandleOp'));
  const traffic = startTraffic(t, url, 5);
  const { code, stderr } = (await push(path.join(folder, '1')).then(
    () => assert.fail('the push succeeded'),
    (error) => error,
  )) as { code: number; stderr: string };
  assert.equal(code, 3, stderr);
  t.diagnostic(stderr.trim());
  await models('rollback', NAME, '--to', `${NEWEST}`, '--wait', '2m');
  for (const { version } of await traffic.stop()) assert.equal(version, `${NEWEST}`);
  assertNoneFailed(traffic.answers, 10);
}

type Check = (t: TestContext, url: string) => Promise<void>;

export const VERSION_CHECKS: readonly (readonly [what: string, check: Check])[] = [
  [
    'a version is pushed to every pod and rolled back under load: no request fails, and no gateway is unready',
    pushAndRollBack,
  ],
  ['a canary gets its share under load, is promoted and demoted: no request fails', tryCanary],
  ['a version that cannot be loaded is reported, and the previous version keeps serving', pushBroken],
];
