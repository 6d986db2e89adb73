/** The lines of what two versions said of a request. */
import type { Comparison } from '../../traffic/copies.ts';
import { rounded } from './classes.ts';
import { type ComparisonLine, SCHEMA_VERSION } from './schema.ts';

/** One for each instance. One in all where the outputs have neither classes nor a decision. */
export function* comparisonLines(comparison: Comparison): Generator<string> {
  const { time, requestId, traceId, model, version, against, ms, againstMs, rows } = comparison;
  const head = { kind: 'comparison', schema: SCHEMA_VERSION, time: time.toISOString() } as const;
  const ids = { request_id: requestId, trace_id: traceId };
  const times = { ms: milliseconds(ms), against_ms: milliseconds(againstMs) };
  const line = (row: number | null, isSame: boolean | null, distance?: number) =>
    JSON.stringify({
      ...head,
      ...ids,
      row,
      model,
      version,
      against,
      top1_same: isSame,
      l1: distance === undefined ? null : rounded(distance),
      ...times,
    } satisfies ComparisonLine);
  if (rows.length === 0) yield line(null, null);
  for (const { row, isSame, distance } of rows) yield line(row, isSame, distance);
}

function milliseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}
