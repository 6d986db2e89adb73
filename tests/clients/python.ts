/** Finds the Python with the packages of requirements.txt. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Python } from '../tf-serving/server.ts';

const run = promisify(execFile);
const OWN = fileURLToPath(new URL('../../.venv-clients/bin/python', import.meta.url));

/** The clients that most tests here run. */
const USUAL = ['tritonclient', 'geventhttpclient', 'kserve'];

/** TENSORGATE_CLIENTS_PYTHON, or the one that `make test` installs, if it has these packages. */
export async function findClients(packages: readonly string[] = USUAL): Promise<Python> {
  const program = process.env.TENSORGATE_CLIENTS_PYTHON ?? OWN;
  try {
    await run(program, [
      '-c',
      'import sys, importlib.metadata as m; [m.version(name) for name in sys.argv[1:]]',
      ...packages,
    ]);
    return { program };
  } catch {
    return { missing: `${program} lacks one of ${packages.join(', ')}: make test installs them` };
  }
}
