/**
 * `npm run fuzz [PARSER…]`: fuzzes the parsers in turn with random seeds for FUZZ_SECONDS (default: an hour) and saves
 * findings to the corpus.
 */
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { fuzz, saveFinding } from './fuzz.ts';
import { PARSERS } from './parsers.ts';

const SLICE_SECONDS = 20;

const wanted = process.argv.slice(2);
const parsers = PARSERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (parsers.length === 0)
  throw new Error(`unknown parser ${wanted}; the parsers are ${PARSERS.map(({ name }) => name).join(', ')}`);

const endMs = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 3600);
const secondsLeft = () => (endMs - performance.now()) / 1000;
for (let turn = 0; secondsLeft() > 0; turn += 1) {
  const parser = parsers[turn % parsers.length];
  if (!parser) break;
  const seed = randomInt(2 ** 31);
  // Written before the run: if a parser never returns, the last line names it.
  process.stdout.write(`${parser.name} seed ${seed}: `);
  const { runs, finding } = await fuzz(parser, { seed, seconds: Math.min(SLICE_SECONDS, secondsLeft()) });
  console.log(`${runs} inputs, ${finding ? 'FOUND' : 'nothing found'}`);
  if (!finding) continue;
  console.error(`${fileURLToPath(await saveFinding(parser, finding))}:`, finding.error);
  process.exitCode = 1;
}
