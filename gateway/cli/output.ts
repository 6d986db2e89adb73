/** Output of a command: its result on stdout, as text or JSON, and progress on stderr. */

export type Output = {
  /** Prints the result: `value` with --json, otherwise `text`. Called once. */
  result(value: object, text: string): void;
  /** Prints a line about progress. */
  progress(line: string): void;
};

/** Prints to this process's stdout and stderr. */
export function createOutput(json: boolean): Output {
  return {
    result: (value, text) => process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`),
    progress: (line) => process.stderr.write(`${line}\n`),
  };
}

/** Formats rows as a table with aligned columns. A column without any entry is left out. */
export function columns(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = heads.map((_, column) => rows.some((row) => row[column] !== ''));
  const lines = [heads, ...rows].map((row) => row.filter((_, column) => used[column]));
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A size in decimal units: 13.1 MB. */
export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
