/** Mutates whole images and decodes them in child processes, where a crash or a hang is one finding. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { goldenImages } from './golden-images.ts';
import { mutants } from './mutants.ts';

/** One mutant by image and mutation number. The same numbers always give the same bytes. */
export type Case = { readonly picture: number; readonly mutation: number };

/** A child's result for a case: the error, or null. */
export type Verdict = { readonly wrong: string | null };

type Finding = Case & { readonly what: string };

/** Far above the decoder's own time limit. */
const HANG_MS = 30_000;

const CHILD = fileURLToPath(new URL('./decode-child.ts', import.meta.url));
const pictures = await goldenImages(100);

/** The cases of all images: the first mutation of each, then the next of each. */
export function* casesOf({ from, mutations }: { from: number; mutations: number }): Generator<Case> {
  for (let mutation = from; mutation < from + mutations; mutation += 1) {
    for (let picture = 0; picture < pictures.length; picture += 1) yield { picture, mutation };
  }
}

/** The bytes of a case. */
export function mutantOf({ picture, mutation }: Case): Buffer {
  const seed = pictures[picture];
  assert.ok(seed, `no image ${picture}`);
  const [bytes] = fc.sample(mutants([seed]), { seed: 1_000_003 * picture + mutation, numRuns: 1 });
  assert.ok(bytes);
  return bytes;
}

/** Decodes all cases in `children` child processes. A child that crashes or hangs is a finding and is replaced. */
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
  const done = new AbortController();
  const { signal } = done;
  const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  child.send(mutant, () => undefined); // an exited child is handled by its exit event
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([verdict]) => (verdict as Verdict).wrong ?? undefined),
      once(child, 'exit', { signal }).then(([code, by]) => `the process exited: ${by ?? `exit code ${code}`}`),
    ]);
  } finally {
    clearTimeout(hang);
    done.abort();
  }
}
