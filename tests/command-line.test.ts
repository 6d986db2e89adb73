/** The command line as a whole: groups, words that are nearly right, settings and where they are from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from './cli.ts';

test('--help has the commands in groups', async () => {
  const { code, stdout } = await runCli(['--help']);
  assert.equal(code, 0);
  const groups = [...stdout.matchAll(/^(\w[\w ]*):\n/gm)].map(([, name]) => name);
  assert.deepEqual(groups, ['Options', 'Predict', 'Run a gateway', 'Manage models', 'Find faults', 'Help']);
});

test('a wrong command and a wrong option are answered with the nearest right one', async () => {
  for (const [args, message] of [
    [['prdict'], /unknown command 'prdict'\n\(Did you mean predict\?\)/],
    [['serve', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [['help', 'bacth'], /unknown command 'bacth'\n\(Did you mean batch\?\)/],
    [['help', 'models', 'psuh'], /unknown command 'psuh'\n\(Did you mean push\?\)/],
    [['completion', 'bsh'], /Allowed choices are bash, zsh, fish/],
  ] as const) {
    const { code, stderr } = await runCli(args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

test('config prints JSON where it is piped, with flags before the environment', async () => {
  const { stdout } = await runCli(['config', '--port', '1234'], { env: { PORT: '99', MAX_QUEUE: '7' } });
  const settings = JSON.parse(stdout);
  assert.deepEqual([settings.PORT, settings.MAX_QUEUE, settings.HOST], [1234, 7, '0.0.0.0']);
});

test('config tells variables that are nearly settings', async () => {
  const { code, stderr } = await runCli(['config'], { env: { MAX_QUEU: '7' } });
  assert.deepEqual([code, stderr], [0, 'MAX_QUEU in the environment is no setting. Did you mean MAX_QUEUE?\n']);
});

test('help has the help of a command below another', async () => {
  const { code, stdout } = await runCli(['help', 'models', 'push']);
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: tensorgate models push /);
});

test('the completion is made from all commands', async () => {
  const { stdout } = await runCli(['completion', 'bash']);
  assert.match(stdout, /' models push'\) names='.*--model /);
  assert.match(stdout, /' batch'\) names='.*--shard /);
});
