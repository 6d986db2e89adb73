import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags, usage } from './flags.ts';

test('the defaults are the same as in TF-Serving', () => {
  const { flags, unknown, errors } = parseFlags([]);
  assert.equal(flags.port, 8500);
  assert.equal(flags.model_name, 'default');
  assert.equal(flags.file_system_poll_wait_seconds, 1);
  assert.deepEqual([unknown, errors], [[], []]);
});

test('values are parsed by the type of the flag', () => {
  const { flags } = parseFlags(['--port=1', '--model_name=a=b', '--enable_batching', '--model_base_path=']);
  assert.deepEqual([flags.port, flags.model_name, flags.enable_batching, flags.model_base_path], [1, 'a=b', true, '']);
  assert.equal(parseFlags(['--enable_batching=false']).flags.enable_batching, false);
});

for (const arg of ['--what=1', '-port=1', 'port', '--port', '--toString=1', '--PORT=1']) {
  test(`${arg} is an unknown argument and changes no flag`, () => {
    const { flags, unknown, errors } = parseFlags([arg]);
    assert.deepEqual([flags.port, unknown, errors], [8500, [arg], []]);
  });
}

for (const [arg, name, value] of [
  ['--port=x', 'port', 'x'],
  ['--port=', 'port', ''],
  ['--port=1.5', 'port', '1.5'],
  ['--port=4294967296', 'port', '4294967296'],
  ['--enable_batching=1', 'enable_batching', '1'],
] as const) {
  test(`${arg} is a parse error`, () => {
    assert.deepEqual(parseFlags([arg]).errors, [`Couldn't interpret value ${value} for flag ${name}.`]);
  });
}

test('--help lists every flag with its default', () => {
  assert.match(usage('program'), /^usage: program\nFlags:\n\t--port=8500 +\tint32\t/);
  assert.match(usage('program'), /\t--model_name="default" +\tstring\t/);
});
