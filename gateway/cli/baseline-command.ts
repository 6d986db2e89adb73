/** The command `baseline`. */
import type { Command } from 'commander';
import { readConfig } from '../config/read.ts';
import { SETTINGS } from '../config/schema.ts';
import { addSettings, givenSettings } from './flags.ts';
import { readTime } from './log/period.ts';

/** Adds `baseline`. Its code is loaded when it runs. */
export function addBaselineCommand(program: Command): void {
  const command = program
    .command('baseline')
    .description('make the baseline of a version, which drift is measured against')
    .argument('<name>', 'the name of the model')
    .requiredOption(
      '--data <what>',
      'a prediction log; or what batch takes: a folder of pictures, or .txt, .csv, .jsonl or .parquet',
    )
    .option('--model-version <number>', 'version of the model; default: the newest')
    .option('--since <time>', 'of a log: predictions from this time on, such as 2026-11-30T15', (text) =>
      readTime(text, '--since'),
    )
    .option('--until <time>', 'of a log: predictions before this time', (text) => readTime(text, '--until'))
    .option('--source <words>', 'what the rows are, for people; default: the name of the data')
    .option('--replace', 'replace a baseline that is there')
    .option('--json', 'print JSON');
  addSettings(
    command,
    SETTINGS.filter(({ key }) => key === 'models'),
  ).action(async (name, options, own) => {
    const { since, until, replace, json, ...rest } = options;
    const { models: folder } = readConfig(givenSettings(own));
    const { runBaseline } = await import('./baseline/run.ts');
    const period = { from: since, to: until };
    return runBaseline(name, { ...rest, models: folder, period, replace: replace === true, json: json === true });
  });
}
