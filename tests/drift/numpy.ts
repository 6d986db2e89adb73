/** Measures of skew by NumPy, in a process of Python. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const programs = [path.join(ROOT, '.venv/bin/python'), process.env.TENSORGATE_TF_PYTHON ?? '', 'python3'];
const program = programs.find((one) => one !== '' && spawnSync(one, ['-c', 'import numpy']).status === 0);

/** Test options: skips where no Python has NumPy. */
export const needsNumpy = program === undefined ? { skip: 'no Python with numpy' } : {};

/** By feature, then by measure. NaN is null in `values`. */
export function measuresOf(
  features: object,
  values: Readonly<Record<string, readonly (number | string | null)[]>>,
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const script = path.join(import.meta.dirname, 'measures.py');
  const input = JSON.stringify({ features, values });
  return JSON.parse(execFileSync(program ?? 'python3', [script], { input, encoding: 'utf8', maxBuffer: 2 ** 26 }));
}
