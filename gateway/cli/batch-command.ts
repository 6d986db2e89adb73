/** The command `batch`. */
import type { Command } from 'commander';
import { readDuration } from '../config/read.ts';
import { parseShard } from './batch/shard.ts';
import { atLeastOne } from './flags.ts';

/** Adds `batch`. Its code is loaded when it runs. */
export function addBatchCommand(program: Command): Command {
  return program
    .command('batch')
    .description('predict everything in a folder or file, and go on after a stop')
    .argument(
      '<input>',
      'folder or glob of pictures; .txt with URLs; .csv, .ndjson or .parquet with instances; also gs://… or s3://…',
    )
    .requiredOption('-o, --output <file>', 'file for the predictions: .ndjson, .csv or .parquet; also gs://… or s3://…')
    .option('--gateway <url>', 'address of a running gateway; default: starts one for this command')
    .option('--model <name>', 'name of the model')
    .option('--model-version <number>', 'version of the model')
    .option('--label <label>', 'label of a version')
    .option('--key <key>', 'API key, sent as Authorization: Bearer')
    .option('--shard <i/n>', 'do part i of n, from 0', '0/1')
    .option('--concurrency <number>', 'most requests at once; as many run as the gateway can take', atLeastOne, 64)
    .option('--batch-size <number>', 'most instances in one request; pictures of files go one by one', atLeastOne, 16)
    .option('--wait <duration>', 'stop when the gateway gives no prediction for so long', '15m')
    .option('--json', 'print the summary as JSON')
    .action(async (input, { wait, shard: part, json, ...options }) => {
      const { runBatch } = await import('./batch/run.ts');
      const [waitMs, shard] = [readDuration(wait), parseShard(part)];
      return runBatch(input, { ...options, waitMs, shard, json: json === true });
    });
}
