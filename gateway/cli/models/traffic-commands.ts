/** Declares the commands under `models` about the versions that answer: canary, shadow, promote, abort and verdict. */
import { type Command, InvalidArgumentError } from 'commander';
import { readDuration } from '../../config/read.ts';
import type { VersionName } from '../../domain/traffic.ts';
import { collected, versionNumber } from '../flags.ts';
import { add, contextOf } from './declare.ts';

/** ADMIN_PORT of a gateway with the default settings. */
const OWN_METRICS = 'http://localhost:9697/metrics';

const EXIT_CODES = `
Exit code: 0 to promote the version, 1 to abort, 3 to wait for more requests, 2 when nothing could be read.`;

/** Adds them. Their files are loaded when they run. */
export function addTrafficCommands(models: Command): void {
  add(models, 'canary', 'give a version a share of the requests that name none, in model.yaml')
    .argument('<name>')
    .requiredOption('--version <version>', 'its number or label', versionName)
    .requiredOption('--share <percentage>', 'of the requests, such as 10%', percentage)
    .option('--sticky <key>', 'what keeps a user on one version: header NAME, query NAME or instance id')
    .action(async (name, { version, share, sticky }, command) =>
      (await import('./traffic.ts')).runCanary(name, { version, share, sticky }, await contextOf(command)),
    );
  add(models, 'shadow', 'send copies of a share of the requests to a version, in model.yaml')
    .argument('<name>')
    .requiredOption('--version <version>', 'its number or label', versionName)
    .requiredOption('--share <percentage>', 'of the requests, such as 20%', percentage)
    .action(async (name, { version, share }, command) =>
      (await import('./traffic.ts')).runShadow(name, { version, share }, await contextOf(command)),
    );
  add(models, 'promote', 'make a version the one that answers requests that name none, in model.yaml')
    .argument('<name>')
    .option('--version <version>', 'its number or label; default: the canary', versionName)
    .action(async (name, { version }, command) =>
      (await import('./traffic.ts')).runPromote(name, version, await contextOf(command)),
    );
  add(models, 'abort', 'end the canary and the shadow, in model.yaml')
    .argument('<name>')
    .action(async (name, _options, command) => (await import('./traffic.ts')).runAbort(name, await contextOf(command)));
  add(models, 'verdict', 'say whether to promote the canary or the shadow, from the metrics of the gateways')
    .argument('<name>')
    .option('--version <number>', 'the canary or the shadow; default: the canary if there is one', versionNumber)
    .option('--against <number>', 'the version to compare with; default: the stable one', versionNumber)
    .option('--metrics <url>', `metrics of a gateway, one option for each replica (default: ${OWN_METRICS})`, collected)
    .option('--prometheus <url>', 'a Prometheus that scrapes the gateways, in place of --metrics')
    .option('--window <duration>', 'how far back Prometheus looks', '1h')
    .addHelpText('after', EXIT_CODES)
    .action(async (name, { window, metrics = [OWN_METRICS], ...options }, command) => {
      const { runVerdict } = await import('./verdict/run.ts');
      return runVerdict(name, { ...options, metrics, windowMs: readDuration(window) }, await contextOf(command));
    });
}

/** A label that is a number would be taken for a version. */
function versionName(text: string): VersionName {
  if (/\D/.test(text)) return text;
  return versionNumber(text);
}

/** As model.yaml has it. */
function percentage(text: string): string {
  if (/^(100|\d{1,2}(\.\d{1,3})?)%$/.test(text)) return text;
  throw new InvalidArgumentError('needs a percentage from 0% to 100%, such as 10%.');
}
