/** The command `explain`. */
import { type Command, Option } from 'commander';
import { METHOD_NAMES } from '../domain/explanation.ts';
import { atLeastOne } from './flags.ts';

/** Adds `explain`. Its code is loaded when it runs. */
export function addExplainCommand(program: Command): Command {
  return program
    .command('explain')
    .description('say what has moved the score of a picture or a record: docs/explanations.md')
    .argument('<what>', 'a picture, a URL, or a .json file with a record')
    .addOption(new Option('--method <name>', 'how').choices(METHOD_NAMES).default('shapley'))
    .option('--target <name>', 'a class or an output; default: the best class')
    .option('-o, --output <file>', 'write the heat map of a picture to this PNG')
    .option('--budget <number>', 'the most inputs that the model scores', atLeastOne)
    .option('--url <url>', 'address of a gateway; default: http://localhost:9696, or else one for this command')
    .option('--model <name>', 'name of the model')
    .option('--model-version <number>', 'version of the model')
    .option('--label <label>', 'label of a version')
    .option('--key <key>', 'API key, sent as Authorization: Bearer')
    .option('--json', 'print JSON on a terminal too')
    .action(async (what, { json, ...options }) => {
      const { runExplain } = await import('./explain/run.ts');
      return runExplain(what, { ...options, json: json === true });
    });
}
