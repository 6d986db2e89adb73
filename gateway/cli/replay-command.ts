/** The command `replay`. */
import type { Command } from 'commander';
import { readConfig } from '../config/read.ts';
import { SETTINGS } from '../config/schema.ts';
import { addSettings, atLeastOne, collected, givenSettings, versionNumber } from './flags.ts';
import { readTime } from './log/period.ts';

const EXIT_CODES = `
Exit code: 0 to promote the version, 1 to abort, 3 to wait for more requests, 2 when they could not be sent.`;

/** Adds `replay`. Its code is loaded when it runs. */
export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('send the predictions of prediction logs to two versions, and say whether to promote one')
    .argument('<log...>', 'files and folders of PREDICTION_LOG')
    .requiredOption('--version <number>', 'the new version', versionNumber)
    .requiredOption('--against <number>', 'the version that it is to replace', versionNumber)
    .option('--model <name>', 'name of the model; default: the only one in the log')
    .option('--pictures <folder>', 'folder with pictures that the log has no URL of; repeat for several', collected)
    .option('--limit <number>', 'most predictions to send; of more a random sample', atLeastOne, 2000)
    .option('--since <time>', 'predictions from this time on, such as 2026-11-30T15', (text) =>
      readTime(text, '--since'),
    )
    .option('--until <time>', 'predictions before this time', (text) => readTime(text, '--until'))
    .option('--gateway <url>', 'address of a running gateway; default: starts one for this command')
    .option('--key <key>', 'API key, sent as Authorization: Bearer')
    .option('--concurrency <number>', 'predictions at once', atLeastOne, 4)
    .option('--json', 'print JSON')
    .addHelpText('after', EXIT_CODES);
  addSettings(
    command,
    SETTINGS.filter(({ key }) => key === 'models'),
  ).action(async (log, { since, until, json, pictures = [], ...options }, own) => {
    const { models } = readConfig(givenSettings(own));
    const { runReplay } = await import('./replay/run.ts');
    return runReplay(log, { ...options, pictures, models, period: { from: since, to: until }, json: json === true });
  });
}
