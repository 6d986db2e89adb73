/**
 * Runs the benchmarks and writes their output into docs/performance.md, each between its two marks.
 *
 *   node bench/report.ts PYTHON [PHOTOS] [--only NAME]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { findPython } from '../tests/tf-serving/server.ts';

const PAGE = new URL('../docs/performance.md', import.meta.url);
const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const [python = 'python3', photos] = positionals;

/** The program for each pair of marks, by name. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  job: ['job.ts', python, ...(photos ? ['--photos', photos] : [])],
  cores: ['cores.ts', ...(photos ? [photos] : [])],
  parts: ['parts.ts'],
  resample: ['resample.ts', python],
  start: ['start.ts', python],
  scale: ['scale.ts'],
  profile: ['profile.ts', ...(photos ? [photos] : [])],
  embedded: ['embedded.ts', python],
  tensors: ['tensors.ts', python],
};
/** Programs that need a model server on TensorFlow. */
const NEED_TENSORFLOW = ['tensors'];
const tensorFlow = await findPython();

async function run([file = '', ...args]: readonly string[]): Promise<string> {
  const program = new URL(file, import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${file} exited with code ${code}`);
  return printed.trim();
}

/** A Mermaid chart of the CPU-ms per request of each gateway at 32 concurrent requests. */
function chart(table: string): string {
  const rows = table
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, concurrency]) => concurrency === '32');
  const names = rows.map(([, , name]) => `"${name}"`);
  const cpu = rows.map(([, , , , , , cpuMs]) => cpuMs);
  const head = '```mermaid\nxychart-beta horizontal\n  title "CPU-ms per request, concurrency 32"';
  // Mermaid's own axis begins at the least value.
  const most = Math.ceil(Math.max(...cpu.map(Number)));
  return `${head}\n  x-axis [${names.join(', ')}]\n  y-axis "ms" 0 --> ${most}\n  bar [${cpu.join(', ')}]\n\`\`\``;
}

for (const [name, command] of Object.entries(PROGRAMS)) {
  if (values.only !== undefined && name !== values.only) continue;
  if ('missing' in tensorFlow && NEED_TENSORFLOW.includes(name)) {
    console.log(`\n${name}: left out, ${tensorFlow.missing}`);
    continue;
  }
  const printed = await run(command);
  console.log(`\n${name}\n\n${printed}`);
  const marks = new RegExp(`(<!-- bench: ${name} -->\n)[\\s\\S]*(<!-- /bench: ${name} -->)`);
  const page = await readFile(PAGE, 'utf8');
  if (!marks.test(page)) throw new Error(`docs/performance.md has no marks for ${name}`);
  const written = name === 'job' ? `${printed}\n\n${chart(printed)}` : printed;
  await writeFile(
    PAGE,
    page.replace(marks, (_all, open, close) => `${open}${written}\n${close}`),
  );
}
