/** A reporter for node:test: one line for each id of the acceptance table, with all tests of that id. */
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { IDS, idsOf } from './ids.ts';

type Outcome = {
  readonly name: string;
  readonly result: 'pass' | 'fail' | 'skip';
  readonly durationMs: number;
  readonly why: string;
  /** Texts of `t.diagnostic('came: …')` and `t.diagnostic('memory: …')`. */
  readonly came: string[];
  readonly memory: string[];
};

/** node:test's own diagnostics at the end of a run. */
const RUN_SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** Collects the outcomes of a run's tests. A file that could not run is also an outcome. */
export async function collect(events: AsyncIterable<TestEvent>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const latest = new Map<string, Outcome>();
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      if (event.data.details.type === 'suite' && event.type === 'test:pass') continue;
      const outcome = outcomeOf(event.type, event.data);
      outcomes.push(outcome);
      latest.set(locationOf(event.data), outcome);
    } else if (event.type === 'test:diagnostic') {
      // A test's diagnostics follow its result and have the same location in the file.
      addDiagnostic(latest.get(locationOf(event.data)), event.data.message);
    }
  }
  return outcomes;
}

function outcomeOf(type: 'test:pass' | 'test:fail', data: EventData.TestPass | EventData.TestFail): Outcome {
  const { name, skip, details } = data;
  const error = 'error' in details ? (details.error.cause ?? details.error) : undefined;
  const why = error instanceof Error ? error.message : String(error ?? (skip === true ? '' : (skip ?? '')));
  const result = type === 'test:fail' ? 'fail' : skip === undefined ? 'pass' : 'skip';
  return { name, result, durationMs: details.duration_ms, why, came: [], memory: [] };
}

function addDiagnostic(outcome: Outcome | undefined, message: string): void {
  const [, what = '', text = ''] = /^(came|memory): (.*)$/s.exec(message) ?? [];
  if (what === 'came' || what === 'memory') outcome?.[what].push(text);
  else if (!RUN_SUMMARY.test(message)) outcome?.came.push(message);
}

const locationOf = ({ file, line, column }: { file?: string; line?: number; column?: number }) =>
  `${file}:${line}:${column}`;

export type Verdict = { readonly lines: readonly string[]; readonly isGood: boolean };

/**
 * The report: a line for each id, errors in the table itself, and a summary. It is not good if a test failed, or if an
 * id has neither a test nor a reason in `notYet`, or both.
 */
export function report(outcomes: readonly Outcome[], notYet: Readonly<Record<string, string>>): Verdict {
  const rows = IDS.map((id) => {
    const own = outcomes.filter(({ name }) => idsOf(name).includes(id));
    return { id, ...(own.length > 0 ? rowOf(own, notYet[id]) : rowWithout(notYet[id])) };
  });
  const withoutId = [
    ...outcomes.filter(({ name, result }) => result === 'fail' && idsOf(name).length === 0),
    ...Object.keys(notYet).flatMap((name) => (IDS.includes(name) ? [] : { name, why: 'is not an id of the table' })),
  ].map(({ name, why }) => `fail: ${oneLine(`${name}: ${why}`)}`);
  const count = (state: string) => rows.filter((row) => row.state === state).length;
  const summary = `${count('pass')} of ${IDS.length} pass, ${count('fail')} fail, ${count('skip')} skipped, ${count('not yet')} not yet`;
  return {
    lines: [
      ...rows.map(({ id, state, text }) => `${id.padEnd(4)}${state.padEnd(8)}${oneLine(text)}`),
      ...withoutId,
      summary,
    ],
    isGood: withoutId.length === 0 && count('fail') === 0,
  };
}

type Row = { readonly state: 'pass' | 'fail' | 'skip' | 'not yet'; readonly text: string };

function rowOf(outcomes: readonly Outcome[], reason: string | undefined): Row {
  const failed = outcomes.filter(({ result }) => result === 'fail');
  if (failed.length > 0) return { state: 'fail', text: failed.map(({ name, why }) => `${name}: ${why}`).join('; ') };
  if (reason !== undefined) return { state: 'fail', text: `has a test and is also in not-yet.ts: ${reason}` };
  const run = outcomes.filter(({ result }) => result === 'pass');
  if (run.length === 0) return { state: 'skip', text: outcomes.map(({ name, why }) => `${name}: ${why}`).join('; ') };
  const ms = Math.ceil(run.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const diagnostics = [
    ['came', joined(run.flatMap(({ came }) => came))],
    ['memory', joined(run.flatMap(({ memory }) => memory))],
  ].flatMap(([what, text]) => (text ? `${what}: ${text}` : []));
  return {
    state: 'pass',
    text: [`${ms} ms`, joined(run.map(({ name }) => withoutIds(name))), ...diagnostics].join(' | '),
  };
}

function rowWithout(reason: string | undefined): Row {
  if (reason !== undefined) return { state: 'not yet', text: reason };
  return { state: 'fail', text: 'has neither a test nor a reason in not-yet.ts' };
}

const joined = (texts: readonly string[]) => [...new Set(texts)].join('; ');
const withoutIds = (name: string) => name.replace(/^(?:[A-H]\d+(?:, | to | and )?)+:? ?/, '');
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');
