/** `tensorgate retrain-hook` as a process: alerts in, runs of a command out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCli } from './cli.ts';
import { startRetrainHook } from './retrain-hook.ts';

const LABELS = { alertname: 'TensorgateDrift', model: 'churn', version: '3', feature: 'tenure' };
const ALERT = {
  status: 'firing',
  labels: LABELS,
  annotations: { summary: 'tenure drifts' },
  startsAt: '2026-11-30T12:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: 'a1b2c3d4e5f60718',
};
/** As Alertmanager sends it. */
const MESSAGE = {
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'retrain',
  groupLabels: {},
  commonLabels: LABELS,
  commonAnnotations: {},
  externalURL: 'http://alertmanager',
  alerts: [ALERT],
};

const send = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'hook-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

type Health = {
  readonly status: string;
  readonly last_run: { readonly outcome: string; readonly exit_code: number; readonly alerts: object[] };
};
const healthOf = async (url: string) => (await (await fetch(`${url}/health`)).json()) as Health;

const ENDED = ({ msg }: { msg: string }) => msg === 'run ended';

test('a matching alert runs the command with the alert in its environment and in a file; the log has its output', async (t) => {
  const program =
    'cat $ALERTS_FILE; echo; echo $ALERT_NAME $ALERT_MODEL $ALERT_VERSION $ALERT_FEATURE $ALERT_STARTS_AT $ALERTS_FILE';
  const hook = await startRetrainHook(t, ['--on=drift', '--', 'sh', '-c', program]);
  const other = { ...ALERT, labels: { ...LABELS, alertname: 'TensorgateDown' }, fingerprint: 'other' };
  const answer = await send(hook.url, { ...MESSAGE, alerts: [ALERT, other] });
  assert.deepEqual([answer.status, await answer.json()], [202, { accepted: 1, unmatched: 1 }]);
  const ended = await hook.until(ENDED);
  assert.deepEqual([ended.level, ended.outcome, ended.exit_code, ended.run], ['info', 'succeeded', 0, 1]);
  const [file = '', words = ''] = hook.lines.filter(({ stream }) => stream === 'stdout').map(({ msg }) => msg);
  assert.deepEqual(JSON.parse(file), { version: '4', status: 'firing', alerts: [ALERT] });
  assert.match(words, /^TensorgateDrift churn 3 tenure 2026-11-30T12:00:00Z \//);
  assert.ok(!existsSync(words.split(' ').at(-1) ?? ''), 'the file is removed after the run');
  const health = await healthOf(hook.url);
  assert.deepEqual(
    [health.status, health.last_run.outcome, health.last_run.alerts],
    ['cooling down', 'succeeded', [LABELS]],
  );
  const metrics = await (await fetch(`${hook.url}/metrics`)).text();
  assert.match(metrics, /tensorgate_retrain_alerts_total\{outcome="accepted"\} 1\n/);
  assert.match(metrics, /tensorgate_retrain_alerts_total\{outcome="unmatched"\} 1\n/);
  assert.match(metrics, /tensorgate_retrain_runs_total\{outcome="succeeded"\} 1\n/);
  assert.match(metrics, /tensorgate_retrain_last_success_timestamp_seconds \d{10}/);
});

test('a run that fails is in log, metrics and health, and the alert runs it again after the pause', async (t) => {
  const hook = await startRetrainHook(t, [
    '--on=drift',
    '--cooldown=10ms',
    '--',
    'sh',
    '-c',
    'echo no data >&2; exit 3',
  ]);
  await send(hook.url, MESSAGE);
  const ended = await hook.until(ENDED);
  assert.deepEqual([ended.level, ended.outcome, ended.exit_code], ['error', 'failed', 3]);
  assert.ok(hook.lines.some(({ stream, msg }) => stream === 'stderr' && msg === 'no data'));
  const health = await healthOf(hook.url);
  assert.deepEqual([health.last_run.outcome, health.last_run.exit_code], ['failed', 3]);
  assert.match(await (await fetch(`${hook.url}/metrics`)).text(), /tensorgate_retrain_last_exit_code 3\n/);
  while ((await healthOf(hook.url)).status !== 'idle');
  await send(hook.url, MESSAGE);
  assert.equal((await hook.until((line) => ENDED(line) && line.run === 2)).outcome, 'failed');
});

test('a run that takes too long is stopped, and that is an error', async (t) => {
  const hook = await startRetrainHook(t, ['--on=drift', '--timeout=300ms', '--', 'sleep', '600']);
  await send(hook.url, MESSAGE);
  const ended = await hook.until(ENDED);
  assert.deepEqual([ended.level, ended.outcome], ['error', 'stopped']);
});

test('SIGTERM ends what the command has started, too', async (t) => {
  const hook = await startRetrainHook(t, ['--on=drift', '--', 'sh', '-c', 'sleep 600 & echo $!; wait']);
  await send(hook.url, MESSAGE);
  const { msg } = await hook.until(({ stream }) => stream === 'stdout');
  const exited = once(hook.child, 'exit');
  hook.child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.throws(() => process.kill(Number(msg), 0), { code: 'ESRCH' });
});

test('SIGTERM lets the command end within its grace, and the hook exits with 0', async (t) => {
  const done = path.join(await folder(t), 'done');
  const program = `trap 'echo saved > ${done}; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
  const hook = await startRetrainHook(t, ['--on=drift', '--', 'sh', '-c', program]);
  await send(hook.url, MESSAGE);
  await hook.until(({ msg }) => msg === 'ready');
  const exited = once(hook.child, 'exit');
  hook.child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.equal(await readFile(done, 'utf8'), 'saved\n');
  assert.equal(hook.lines.find(ENDED)?.outcome, 'stopped');
});

test('SIGTERM kills a command that ignores it after its grace', async (t) => {
  const hook = await startRetrainHook(t, [
    '--on=drift',
    '--grace=200ms',
    '--',
    'sh',
    '-c',
    "trap '' TERM; echo ready; sleep 600",
  ]);
  await send(hook.url, MESSAGE);
  await hook.until(({ msg }) => msg === 'ready');
  const exited = once(hook.child, 'exit');
  hook.child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  const ended = hook.lines.find(ENDED);
  assert.deepEqual([ended?.outcome, ended?.exit_code], ['stopped', null]);
});

test('with a token: alerts need it, health and metrics do not; a new token counts when the file changes', async (t) => {
  const file = path.join(await folder(t), 'token');
  await writeFile(file, 'first-token-0123456789\n');
  const hook = await startRetrainHook(t, ['--on=drift', `--token-file=${file}`, '--', 'true']);
  for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: 'Basic first-token-0123456789' }]) {
    const refused = await send(hook.url, MESSAGE, headers as Record<string, string>);
    assert.deepEqual([refused.status, refused.headers.get('WWW-Authenticate')], [401, 'Bearer']);
  }
  const with1 = { Authorization: 'Bearer first-token-0123456789' };
  assert.equal((await send(hook.url, MESSAGE, with1)).status, 202);
  assert.equal((await fetch(`${hook.url}/health`)).status, 200);
  await writeFile(file, 'second-token-0123456789\n');
  await hook.until(({ msg }) => msg === 'reloaded the changed file');
  assert.equal((await send(hook.url, MESSAGE, with1)).status, 401);
  assert.ok(!JSON.stringify(hook.lines).includes('token-0123456789'));
});

test('wrong requests are refused: too large, no JSON, another form, route or method', async (t) => {
  const hook = await startRetrainHook(t, ['--on=drift', '--', 'true']);
  const status = async (response: Promise<Response>) => (await response).status;
  assert.equal(await status(send(hook.url, JSON.stringify({ ...MESSAGE, pad: 'x'.repeat(2 ** 20) }))), 413);
  assert.equal(await status(send(hook.url, '{"version"')), 400);
  const wrong = await send(hook.url, { ...MESSAGE, version: '3' });
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /"detail":"version: /);
  assert.equal(await status(fetch(`${hook.url}/alerts`)), 405);
  assert.equal(await status(fetch(`${hook.url}/else`)), 404);
  assert.ok(!hook.lines.some(({ msg }) => msg === 'run started'));
});

test('wrong options end the command before it listens: exit code 2 and one line', async (t) => {
  const token = path.join(await folder(t), 'token');
  await writeFile(token, 'short');
  const cases: [string[], RegExp][] = [
    [['--on=drift', '--host=0.0.0.0', '--', 'true'], /^--host 0\.0\.0\.0: .* needs --token-file\n$/],
    [['--on=drift', `--token-file=${token}`, '--', 'true'], /^--token-file \S+: needs a token of at least 16/],
    [['--on=drift', '--', 'no-such-command'], /^no-such-command: no such command\n$/],
    [['--on=a-b=c', '--', 'true'], /^--on a-b=c: needs part of an alert's name, a label's value, or LABEL=VALUE\n$/],
    [['--on=drift', '--cooldown=999h', '--', 'true'], /^--cooldown, --timeout and --grace: 576h at most\n$/],
    [['--on=drift', '--port=99999', '--', 'true'], /needs a port from 0 to 65535/],
    [['--', 'true'], /required option '--on <match>'/],
    [['--on=drift'], /missing required argument 'command'/],
  ];
  for (const [args, text] of cases) {
    const { code, stderr, stdout } = await runCli(['retrain-hook', ...args]);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, text);
  }
});
