/**
 * Compares decoding of JPEGs with sharp and Pillow, in CPU-ms per picture: all pixels, and only those that a nearest resize
 * to 299 x 299 picks. Rounds alternate, to spread the effect of other load on the machine.
 *
 *   node bench/jpeg.ts PYTHON [FILE…]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeJpeg } from '../gateway/image/jpeg/decode.ts';
import { decodeWholeJpeg } from '../gateway/image/jpeg/whole.ts';
import { nearestIndices } from '../gateway/image/resample/pillow-tables.ts';
import { median } from './load.ts';

const ROUNDS = 11;
/** CPU time of a measure in each round. */
const MEASURE_MS = 150;
const GOLDEN = ['jpg-420.jpg', 'jpg-progressive-420.jpg', 'jpg-3000x2000.jpg'];
const REFERENCE = fileURLToPath(new URL('reference/resample.py', import.meta.url));

sharp.cache(false);
sharp.concurrency(1);
const [python = 'python3', ...given] = process.argv.slice(2);
const files =
  given.length > 0
    ? given
    : GOLDEN.map((name) => fileURLToPath(new URL(`../tests/golden/images/${name}`, import.meta.url)));

function nearest(input: number): Int32Array {
  return nearestIndices({ input, boxStart: 0, boxSize: input, resized: 299, windowStart: 0, windowSize: 299 });
}

function decodeNearest(file: Uint8Array): void {
  decodeJpeg(file, {
    select: ({ width, height }) => ({ columns: nearest(width), rows: nearest(height), channels: 3 }),
    take: () => undefined,
  });
}

const decodeBySharp = (file: Uint8Array) =>
  sharp(file, { ignoreIcc: true, failOn: 'truncated' }).toColourspace('srgb').removeAlpha().raw().toBuffer();

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  let spentMs = 0;
  let count = 0;
  for (; spentMs < MEASURE_MS; count++) {
    await work();
    const { user, system } = process.cpuUsage(before);
    spentMs = (user + system) / 1000;
  }
  return spentMs / count;
}

/** A function for the CPU-ms of a decode in Python. */
function startPillow(file: string) {
  const child = spawn(python, [REFERENCE, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return {
    async decode(count: number): Promise<number> {
      const line = once(lines, 'line');
      child.stdin.write(`decode nearest ${count}\n`);
      return Number((await line)[0]);
    },
    close: () => child.stdin.end(),
  };
}

async function measure(name: string): Promise<number[]> {
  const file = await readFile(name);
  const pillow = startPillow(name);
  const works = [
    () => cpuMs(() => decodeWholeJpeg(file, 3, 1e8)),
    () => cpuMs(() => decodeNearest(file)),
    () => cpuMs(() => decodeBySharp(file)),
    () => pillow.decode(5),
  ];
  const rounds = works.map((): number[] => []);
  for (const work of works) await work();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [which, work] of works.entries()) rounds[which]?.push(await work());
  }
  pillow.close();
  return rounds.map(median);
}

console.log('| file | all pixels | nearest 299 | sharp | Pillow | all / sharp | all / Pillow |');
console.log('|--|--|--|--|--|--|--|');
for (const name of files) {
  const [all, some, bySharp, byPillow] = (await measure(name)) as [number, number, number, number];
  const cells = [all, some, bySharp, byPillow, all / bySharp, all / byPillow].map((cell) => cell.toFixed(2));
  console.log(`| ${[path.basename(name), ...cells].join(' | ')} |`);
}
