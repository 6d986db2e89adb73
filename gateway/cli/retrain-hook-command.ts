/** The command `retrain-hook`. */
import type { Command } from 'commander';
import { readDuration } from '../config/read.ts';
import { collected, portNumber } from './flags.ts';

/** Adds `retrain-hook`. Its code is loaded when it runs. */
export function addRetrainHookCommand(program: Command): Command {
  return program
    .command('retrain-hook')
    .description('receive alerts of Alertmanager, and run a command for those that match')
    .argument('<command...>', 'what to run, after --, such as: -- make retrain DATA=photos')
    .requiredOption(
      '--on <match>',
      'part of the name of an alert, the value of a label, or LABEL=VALUE; of several, all must match',
      collected,
    )
    .option('--cooldown <duration>', 'least time from the end of a run to the start of the next', '1h')
    .option('--timeout <duration>', 'stop a run after this time', '24h')
    .option('--grace <duration>', 'time from SIGTERM to SIGKILL for a run that is stopped', '30s')
    .option('--host <address>', 'address to listen on; another than loopback needs --token-file', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0: any free port', portNumber, 9699)
    .option('--token-file <file>', 'file with the token that alerts are sent with, as Authorization: Bearer')
    .action(async (command, { cooldown, timeout, grace, ...options }) => {
      const { runRetrainHook } = await import('./retrain-hook/run.ts');
      const [cooldownMs, timeoutMs, graceMs] = [cooldown, timeout, grace].map(readDuration) as [number, number, number];
      return runRetrainHook({ ...options, command, cooldownMs, timeoutMs, graceMs });
    });
}
