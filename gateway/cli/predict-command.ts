/** The command `predict`. */
import type { Command } from 'commander';
import { ConfigError } from '../config/read.ts';
import { atLeastOne } from './flags.ts';

/** Adds `predict`. Its code is loaded when it runs. */
export function addPredictCommand(program: Command): Command {
  return program
    .command('predict')
    .description('predict pictures, URLs and records, and print the predictions')
    .argument('[what...]', 'pictures, URLs, or .json files with records')
    .option('--url <url>', 'address of a gateway; default: http://localhost:9696, or else one for this command')
    .option('--model <name>', 'name of the model')
    .option('--model-version <number>', 'version of the model')
    .option('--label <label>', 'label of a version')
    .option('--key <key>', 'API key, sent as Authorization: Bearer')
    .option('--scores <form>', 'raw or probabilities')
    .option('--top <number>', 'most classes to show on a terminal', atLeastOne, 5)
    .option('--json', 'print JSON on a terminal too, one object a line')
    .option('--json-instances <file>', 'send the instances of a file in one request, one JSON value a line; -: stdin')
    .action(async (what, { jsonInstances, json, ...options }) => {
      if (what.length > 0 === (jsonInstances !== undefined)) {
        throw new ConfigError('predict needs pictures, URLs or .json files, or --json-instances FILE');
      }
      if (jsonInstances !== undefined) {
        const { predictInstances } = await import('./predict/instances.ts');
        return predictInstances({ url: 'http://localhost:9696', ...options, jsonInstances });
      }
      const { runPredict } = await import('./predict/run.ts');
      return runPredict(what, { ...options, json: json === true });
    });
}
