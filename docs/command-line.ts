/** The text of docs/command-line.md: every command with its arguments and options, as the program declares them. */
import type { Command, Option } from 'commander';
import { program } from '../gateway/cli/program.ts';
import { table } from './table.ts';

/** Pages that say more of a command. */
const MORE: Readonly<Record<string, string>> = {
  accuracy: 'prediction-log.md#accuracy-by-version',
  baseline: 'drift.md#a-baseline-for-a-model-that-came-without',
  batch: 'batch.md',
  doctor: 'doctor.md',
  drift: 'drift.md#the-same-from-a-log-tensorgate-drift',
  drill: 'drill.md',
  'keys new': 'how-to/api-keys.md',
  models: 'models-command.md',
  'models verdict': 'verdict.md#verdict',
  predict: 'predict.md',
  replay: 'verdict.md#replay',
  'retrain-hook': 'retraining.md',
};

export function commandLinePage(): string {
  return `# Command line

\`./tensorgate COMMAND --help\` prints the same on a terminal. In a checkout the program is \`./tensorgate\`; of the installed
[npm package](package.md) it is \`tensorgate\`. Commands marked with settings also take every [setting](settings.md) as a flag, such as
\`--request-timeout 10s\`.

The exit code is 0 for success and 2 for wrong usage or wrong settings. Pages of single commands have the others.

${visible(program)
  .flatMap((command) => sectionsOf(command, []))
  .join('\n\n')}
`;
}

function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
}

/** The section of a command, or of each command below it. */
function sectionsOf(command: Command, above: readonly string[]): readonly string[] {
  const below = visible(command);
  const words = [...above, command.name()];
  return below.length > 0 ? below.flatMap((one) => sectionsOf(one, words)) : [sectionOf(command, words)];
}

function sectionOf(command: Command, words: readonly string[]): string {
  const name = words.join(' ');
  const options = command.options.filter(({ hidden, helpGroupHeading }) => !hidden && helpGroupHeading !== 'Settings:');
  const hasSettings = command.options.some(({ helpGroupHeading }) => helpGroupHeading === 'Settings:');
  const more = MORE[name] ?? MORE[words[0] ?? ''];
  const about = [sentence(command.description()), ...(hasSettings ? ['Takes settings.'] : [])].join(' ');
  return [
    `## ${name}`,
    `${about}${more === undefined ? '' : ` [More](${more})`}`,
    `    tensorgate ${name} ${command.usage()}`,
    ...argumentTable(command),
    ...(options.length > 0 ? [table(['option', 'default', 'what it is'], options.map(optionRow))] : []),
  ].join('\n\n');
}

function argumentTable(command: Command): readonly string[] {
  const rows = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => [`\`${argument.name()}\``, argument.description]);
  return rows.length > 0 ? [table(['argument', 'what it is'], rows)] : [];
}

function optionRow({ flags, description, defaultValue }: Option): readonly string[] {
  return [`\`${flags}\``, defaultValue === undefined ? '' : `\`${String(defaultValue)}\``, description];
}

/** "print JSON" → "Print JSON." */
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
