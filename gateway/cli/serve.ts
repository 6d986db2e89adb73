/** `tensorgate serve`: runs the gateway. */
import { readConfig } from '../config/read.ts';
import { serve } from '../main.ts';

/** How long to wait for the reader of stdout to take the last log lines. Then the process exits without. */
const LOG_FLUSH_TIMEOUT_MS = 1000;

/** Reads the settings and serves until a signal; sets the exit code. */
export async function runServe(flags: Record<string, string>): Promise<void> {
  // For a command that has started this gateway for itself: it stops with the command.
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
  try {
    process.exitCode = await serve(readConfig(flags));
  } finally {
    // Also after a start that failed: nothing that it left open may keep the process running.
    setTimeout(() => process.exit(), LOG_FLUSH_TIMEOUT_MS).unref();
  }
}
