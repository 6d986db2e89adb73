/** Reads --model_config_file again and again, as TF-Serving does with --model_config_file_poll_wait_seconds. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from './log.ts';
import { type ModelConfig, readModelConfigFile } from './model-config.ts';
import type { Models } from './models.ts';

export type ConfigWatchOptions = {
  readonly file: string;
  /** The list that is served now. */
  readonly first: readonly ModelConfig[];
  readonly models: Models;
  readonly pollMs: number;
  readonly log: Log;
};

/** Watches for ever. A file that cannot be read is logged, and the last list stays. Labels are tried until they fit. */
export async function watchConfig({ file, first, models, pollMs, log }: ConfigWatchOptions): Promise<never> {
  let applied: readonly ModelConfig[] | undefined = first;
  let lastProblem = '';
  for (;;) {
    await sleep(pollMs);
    let problem = '';
    try {
      const configs = await readModelConfigFile(file);
      if (!isDeepStrictEqual(configs, applied)) {
        problem = (await models.apply(configs)).join('; ');
        applied = problem ? undefined : configs;
      }
    } catch (error) {
      problem = String(error);
    }
    if (problem && problem !== lastProblem) log.error(problem);
    lastProblem = problem;
  }
}
