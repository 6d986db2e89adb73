/** The log on a terminal: one coloured line for each JSON line. */
import { escapeInvisible } from './log.ts';

/**
 * Makes the formatter of log lines, if pino-pretty is installed. It is an optional dependency: the image has none, and its
 * stdout is read by programs. NO_COLOR (no-color.org) turns the colours off.
 */
export async function readableLines(): Promise<((line: string) => string) | undefined> {
  const { prettyFactory } = await import('pino-pretty').catch(() => ({ prettyFactory: undefined }));
  const format = prettyFactory?.({
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: ['err', 'cause'],
  });
  // pino-pretty removes the control characters below 0x20 only.
  return format && ((line) => escapeInvisible(format(line)));
}
