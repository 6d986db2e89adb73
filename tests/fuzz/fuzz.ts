/** Runs a parser on mutants of its corpus for a given time. Findings are saved to the corpus. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { mutants } from './mutants.ts';

/** A parser under test. `check` throws if the parser breaks a guarantee on this input. */
export type Parser = {
  /** The name, and the name of the corpus folder. */
  readonly name: string;
  /** Seeds in addition to the corpus. */
  readonly seeds?: () => Promise<readonly Buffer[]>;
  /** Tokens of the format as Latin-1, which random bytes would rarely produce. */
  readonly words: readonly string[];
  check(input: Uint8Array): void | Promise<void>;
};

export type Finding = { readonly input: Uint8Array; readonly error: unknown };
type Report = { readonly runs: number; readonly finding: Finding | undefined };

/** In CPU time: on a busy machine wall time would be too long. An input has a few hundred kilobytes at most. */
const MAX_CPU_MS = 1000;

const folderOf = (parser: Parser) => new URL(`corpus/${parser.name}/`, import.meta.url);

/** The files of a parser's corpus by name. */
export async function corpusOf(parser: Parser): Promise<ReadonlyMap<string, Buffer>> {
  const folder = folderOf(parser);
  const names = (await readdir(folder)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, folder))] as const)));
}

/** Writes a finding's input to the corpus, where every later run and test uses it. */
export async function saveFinding(parser: Parser, { input }: Finding): Promise<URL> {
  const file = new URL(`found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`, folderOf(parser));
  await writeFile(file, input);
  return file;
}

/** Checks one input and its CPU time. */
export async function checkInput(parser: Parser, input: Uint8Array): Promise<void> {
  const before = process.cpuUsage();
  await parser.check(input);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  assert.ok(cpuMs < MAX_CPU_MS, `took ${cpuMs} ms of CPU time`);
}

/** Fuzzes for `seconds` or until the first finding. The same seed gives the same inputs in the same order. */
export async function fuzz(parser: Parser, { seed, seconds }: { seed: number; seconds: number }): Promise<Report> {
  const seeds = [...(await corpusOf(parser)).values(), ...((await parser.seeds?.()) ?? [])];
  let runs = 0;
  const property = fc.asyncProperty(mutants(seeds, parser.words), async (input) => {
    runs += 1;
    await checkInput(parser, input);
  });
  const { failed, counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: Number.POSITIVE_INFINITY,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  });
  const finding = failed && counterexample ? { input: counterexample[0], error: errorInstance } : undefined;
  return { runs, finding };
}
