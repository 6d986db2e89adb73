/** `tensorgate serve`: the gateway itself. */
import { readConfig } from '../config.ts';
import { serve } from '../main.ts';

/** How long the end waits for whoever reads the log. */
const LAST_LINES_MS = 1000;

/** Reads the settings and serves until a signal; sets the exit code. */
export async function runServe(flags: Record<string, string>): Promise<void> {
  process.exitCode = await serve(readConfig(flags));
  setTimeout(() => process.exit(), LAST_LINES_MS).unref();
}
