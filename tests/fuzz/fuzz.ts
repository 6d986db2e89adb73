/** Runs a parser on mutants of its corpus for some time, and keeps what it fails on in the corpus. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { mutants } from './mutants.ts';

/** What is fuzzed. `check` throws unless the parser did with the input what it promises. */
export type Parser = {
  /** Also the folder of its corpus. */
  readonly name: string;
  /** Seeds from elsewhere in the repository, besides the corpus. */
  readonly seeds?: () => Promise<readonly Buffer[]>;
  /** Parts of the format (as Latin-1), for mutants that random bytes would not hit on. */
  readonly words: readonly string[];
  check(input: Uint8Array): void | Promise<void>;
};

export type Finding = { readonly input: Uint8Array; readonly error: unknown };
type Report = { readonly runs: number; readonly finding: Finding | undefined };

/** Processor time, not the clock's: a busy machine is not a slow parser. An input is a few hundred kilobytes at most. */
const MAX_CPU_MS = 1000;

const folderOf = (parser: Parser) => new URL(`corpus/${parser.name}/`, import.meta.url);

/** The files of a parser's corpus, by name. */
export async function corpusOf(parser: Parser): Promise<ReadonlyMap<string, Buffer>> {
  const folder = folderOf(parser);
  const names = (await readdir(folder)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, folder))] as const)));
}

/** Writes a finding's input into the corpus, from where every later run and every test tries it again. */
export async function keep(parser: Parser, { input }: Finding): Promise<URL> {
  const file = new URL(`found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`, folderOf(parser));
  await writeFile(file, input);
  return file;
}

/** Checks one input, its time included. */
export async function checkInput(parser: Parser, input: Uint8Array): Promise<void> {
  const before = process.cpuUsage();
  await parser.check(input);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  assert.ok(cpuMs < MAX_CPU_MS, `took ${cpuMs} ms of processor time`);
}

/** Fuzzes until the time is over or something is found. The same seed tries the same inputs in the same order. */
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
