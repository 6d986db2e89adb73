/** Writes lines to stdout, between those of the log: their `kind` tells them apart. */
import { type Destination, LinesLost } from './buffer.ts';

/** Writes a line at once. False where it was dropped: stdout is not read, or its disk is full. */
export type WriteLine = (line: string) => boolean;

export function toStdout(writeLine: WriteLine): Destination {
  return {
    async write(lines) {
      const dropped = lines.filter((line) => !writeLine(`${line}\n`)).length;
      if (dropped > 0) throw new LinesLost('stdout is not read, or its disk is full', dropped);
    },
    async close() {},
  };
}
