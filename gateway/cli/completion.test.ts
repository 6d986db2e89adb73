import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Argument, Command } from 'commander';
import { completionScript } from './completion.ts';

const program = new Command('tensorgate');
program.command('serve').option('--port <number>', "the service's port").option('--host <name>', 'address');
program.command('secret', { hidden: true });
program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'fish']));
const models = program.command('models');
models.command('push').option('--model <name>');
models.command('prove');

/** What bash offers for the words of a command line; the last one is being typed. */
function offered(...words: readonly string[]): string[] {
  const line = ['tensorgate', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', program)}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _tensorgate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean).sort();
}

test('bash completes commands, the commands below them, and their options', () => {
  assert.deepEqual(offered('s'), ['serve']);
  assert.deepEqual(offered('models', 'p'), ['prove', 'push']);
  assert.deepEqual(offered('serve', '--port', '1', '--h'), ['--help', '--host']);
  assert.deepEqual(offered('models', 'push', 'folder', '--m'), ['--model']);
  assert.deepEqual(offered('serve', 'x'), []);
  assert.deepEqual(offered('completion', 'b'), ['bash']);
});

test('zsh and fish get the same words, and no hidden command', () => {
  const zsh = completionScript('zsh', program);
  assert.match(zsh, /^ {4}' models push'\) compadd -- --model --help ;;$/m);
  const fish = completionScript('fish', program);
  assert.match(
    fish,
    /^complete -c tensorgate -n '__fish_seen_subcommand_from serve' -l port -d 'the service\\'s port'$/m,
  );
  for (const shell of ['bash', 'zsh', 'fish']) assert.doesNotMatch(completionScript(shell, program), /secret/);
});
