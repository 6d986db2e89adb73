/**
 * Runs bench/parts.ts in two checkouts in turn, on the same machine. Prints a table of CPU-ms, and a GitHub warning for
 * each part that is at least 15 % slower. A slower part never fails the run: shared machines are not exact enough.
 *
 *   node bench/compare.ts BASE_CHECKOUT [HEAD_CHECKOUT]
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { median } from './load.ts';

const ROUNDS = 3;
const SLOWER = 1.15;

type Figures = Readonly<Record<string, number>>;

async function measure(checkout: string): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(checkout, 'bench/parts.ts'), '--json']);
  return JSON.parse(stdout) as Figures;
}

const [base, head = '.'] = process.argv.slice(2);
if (base === undefined) throw new Error('missing the base checkout: node bench/compare.ts BASE [HEAD]');
const rounds: { readonly before: Figures; readonly after: Figures }[] = [];
for (let round = 0; round < ROUNDS; round += 1)
  rounds.push({ before: await measure(base), after: await measure(head) });

console.log('| part | before, CPU-ms | after | ratio |\n|--|--|--|--|');
const [first] = rounds;
for (const name of Object.keys(first?.after ?? {})) {
  const [before, after] = (['before', 'after'] as const).map((side) =>
    median(rounds.map((round) => round[side][name] ?? Number.NaN)),
  ) as [number, number];
  const ratio = after / before;
  console.log(`| ${name} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${ratio.toFixed(2)} |`);
  if (ratio >= SLOWER)
    console.log(`::warning title=slower::${name}: ${before.toFixed(2)} -> ${after.toFixed(2)} CPU-ms`);
}
