/** Runs the command that the process was started with, and sets its exit code. */
import { CommanderError } from 'commander';
import { ConfigError } from '../config/read.ts';
import { BaselineError } from '../model/baseline.ts';
import { ModelCardError } from '../model/card.ts';
import { ModelsError } from './models/failure.ts';
import { program } from './program.ts';

/** Errors whose message says what is wrong and what to do. */
const WITH_MESSAGE = [BaselineError, ConfigError, ModelCardError, ModelsError] as const;

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (WITH_MESSAGE.some((kind) => error instanceof kind)) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = error instanceof ModelsError ? error.exitCode : 2;
  } else throw error;
}
