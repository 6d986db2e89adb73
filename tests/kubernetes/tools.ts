/** Runs the programs that check the manifests, in the versions of kubernetes/checks. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const TOOLS = path.join(ROOT, '.kubernetes-tools');

/** Options for `describe` and `test`: skip if the programs are not built. */
export const options = existsSync(path.join(TOOLS, '.ready'))
  ? {}
  : { skip: 'the programs of kubernetes/checks are not built: `make .kubernetes-tools/.ready`, which needs go' };

type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * Runs a program in a folder, with `input` on stdin. Resolves on exit, with any code. Rejects if it cannot be started.
 */
export function runTool(name: string, args: readonly string[], { input = '', cwd = ROOT } = {}): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const child = execFile(path.join(TOOLS, 'bin', name), args, { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
    const code = error ? error.code : 0;
    if (typeof code === 'number') resolve({ code, stdout, stderr });
    else reject(error);
  });
  child.stdin?.end(input);
  return promise;
}
