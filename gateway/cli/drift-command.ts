/** The command `drift`. */
import type { Command } from 'commander';
import { readConfig } from '../config/read.ts';
import { SETTINGS } from '../config/schema.ts';
import { MINIMUM } from './drift/thresholds.ts';
import { addSettings, atLeastOne, givenSettings } from './flags.ts';
import { readTime } from './log/period.ts';

const EXIT_CODES = `
Exit code: 0 when nothing drifted, 1 when a feature of a version drifted, 2 when nothing could be compared.`;

/** Adds `drift`. Its code is loaded when it runs. */
export function addDriftCommand(program: Command): void {
  const command = program
    .command('drift')
    .description('compare the predictions in prediction logs with a baseline')
    .argument('<log...>', 'files and folders of PREDICTION_LOG')
    .option(
      '--baseline <what>',
      'a file; the number of a version; or the part of the log until a time or FROM/TO; default: that of each version',
    )
    .option('--since <time>', 'compare predictions from this time on, such as 2026-11-30T15', (text) =>
      readTime(text, '--since'),
    )
    .option('--until <time>', 'compare predictions before this time', (text) => readTime(text, '--until'))
    .option('--minimum <number>', 'predictions that a feature needs for a verdict', atLeastOne, MINIMUM)
    .option('--html <file>', 'write a report with plots')
    .option('--json', 'print JSON')
    .addHelpText('after', EXIT_CODES);
  addSettings(
    command,
    SETTINGS.filter(({ key }) => key === 'models'),
  ).action(async (log, options, own) => {
    const { baseline, since, until, minimum, html, json } = options;
    const { models } = readConfig(givenSettings(own));
    const { runDrift } = await import('./drift/run.ts');
    return runDrift(log, { baseline, models, period: { from: since, to: until }, minimum, html, json: json === true });
  });
}
