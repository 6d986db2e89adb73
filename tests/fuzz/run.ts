/** Fuzzes every parser in turn with seeds of chance for FUZZ_SECONDS (an hour), and keeps what it finds in the corpus: `npm run fuzz [PARSER…]`. */
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { fuzz, keep } from './fuzz.ts';
import { PARSERS } from './parsers.ts';

const SLICE_SECONDS = 20;

const wanted = process.argv.slice(2);
const parsers = PARSERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (parsers.length === 0)
  throw new Error(`no parser ${wanted}: there are ${PARSERS.map(({ name }) => name).join(', ')}`);

const endMs = performance.now() + 1000 * Number(process.env.FUZZ_SECONDS ?? 3600);
const secondsLeft = () => (endMs - performance.now()) / 1000;
for (let turn = 0; secondsLeft() > 0; turn += 1) {
  const parser = parsers[turn % parsers.length];
  if (!parser) break;
  const seed = randomInt(2 ** 31);
  // Said before it runs, so that a parser that never returns is named by the last line.
  process.stdout.write(`${parser.name} seed ${seed}: `);
  const { runs, finding } = await fuzz(parser, { seed, seconds: Math.min(SLICE_SECONDS, secondsLeft()) });
  console.log(`${runs} inputs, ${finding ? 'FOUND' : 'nothing found'}`);
  if (!finding) continue;
  console.error(`${fileURLToPath(await keep(parser, finding))}:`, finding.error);
  process.exitCode = 1;
}
