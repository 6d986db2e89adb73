/** Finds the Python with the packages of requirements.txt. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Python } from '../tf-serving/server.ts';

const run = promisify(execFile);
const OWN = fileURLToPath(new URL('../../.venv-clients/bin/python', import.meta.url));

const HAS_ALL =
  "from importlib.metadata import version; [version(name) for name in ('tritonclient', 'geventhttpclient', 'kserve')]";

/** TENSORGATE_CLIENTS_PYTHON, or the one that `make test` installs. */
export async function findClients(): Promise<Python> {
  const program = process.env.TENSORGATE_CLIENTS_PYTHON ?? OWN;
  try {
    await run(program, ['-c', HAS_ALL]);
    return { program };
  } catch {
    return { missing: `${program} lacks one of the public clients: make test installs them` };
  }
}
