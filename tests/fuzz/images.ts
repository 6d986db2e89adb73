/** Mutates whole pictures and decodes them in child processes, so that a crash or a hang has a name and ends nothing. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { goldenImages } from './golden-images.ts';
import { mutants } from './mutants.ts';

/** One mutant: which picture, and which of its mutations. The same two numbers make the same bytes every time. */
export type Case = { readonly picture: number; readonly mutation: number };

/** A child's word on a case: what went wrong, or null. */
export type Verdict = { readonly wrong: string | null };

type Finding = Case & { readonly what: string };

/** Far above what the decoder's own time limit allows. */
const HANG_MS = 30_000;

const CHILD = fileURLToPath(new URL('./decode-child.ts', import.meta.url));
const pictures = await goldenImages(100);

/** The cases of every picture: one mutation of each, then the next of each. */
export function* casesOf({ from, mutations }: { from: number; mutations: number }): Generator<Case> {
  for (let mutation = from; mutation < from + mutations; mutation += 1) {
    for (let picture = 0; picture < pictures.length; picture += 1) yield { picture, mutation };
  }
}

/** The bytes of a case. */
export function mutantOf({ picture, mutation }: Case): Buffer {
  const seed = pictures[picture];
  assert.ok(seed, `there is no picture ${picture}`);
  const [bytes] = fc.sample(mutants([seed]), { seed: 1_000_003 * picture + mutation, numRuns: 1 });
  assert.ok(bytes);
  return bytes;
}

/** Decodes every case in one of the children; a child that crashed or hangs is a finding and replaced. */
export async function fuzzImages(cases: Iterator<Case>, { children }: { children: number }): Promise<Finding[]> {
  const findings: Finding[] = [];
  const work = async () => {
    let child = fork(CHILD);
    for (let next = cases.next(); !next.done; next = cases.next()) {
      const what = await decodeIn(child, next.value);
      if (what) findings.push({ ...next.value, what });
      if (!child.connected) child = fork(CHILD);
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: children }, work));
  return findings;
}

async function decodeIn(child: ChildProcess, mutant: Case): Promise<string | undefined> {
  const over = new AbortController();
  const { signal } = over;
  const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  child.send(mutant, () => undefined); // a child that is gone says so by its exit
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([verdict]) => (verdict as Verdict).wrong ?? undefined),
      once(child, 'exit', { signal }).then(([code, by]) => `the process ended: ${by ?? `exit code ${code}`}`),
    ]);
  } finally {
    clearTimeout(hang);
    over.abort();
  }
}
