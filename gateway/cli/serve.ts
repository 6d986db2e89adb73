/** `tensorgate serve`: the gateway itself. */
import { readConfig } from '../config.ts';
import { serve } from '../main.ts';

/** Reads the settings and serves until a signal; sets the exit code. */
export async function runServe(flags: Record<string, string>): Promise<void> {
  process.exitCode = await serve(readConfig(flags));
}
