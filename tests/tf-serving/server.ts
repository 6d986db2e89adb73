/** Starts a model server based on the TensorFlow Python package, and makes models for it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('../../../shared/lab/tfserving/', import.meta.url));
const run = promisify(execFile);

export type Python = { readonly program: string } | { readonly missing: string };

/** Finds the server and a Python with TensorFlow: TENSORGATE_TF_PYTHON, or `python3`. */
export async function findPython(): Promise<Python> {
  if (!existsSync(join(FOLDER, 'tensorflow_model_server')))
    return { missing: 'there is no tensorflow_model_server next to the repository' };
  const program = process.env.TENSORGATE_TF_PYTHON ?? 'python3';
  const modules = ['tensorflow', 'tensorflow_serving', 'grpc'].map((name) => `importlib.util.find_spec('${name}')`);
  try {
    await run(program, ['-c', `import importlib.util, sys; sys.exit(not (${modules.join(' and ')}))`]);
    return { program };
  } catch {
    return {
      missing: `${program} has no tensorflow or tensorflow_serving; set TENSORGATE_TF_PYTHON to a Python that has both`,
    };
  }
}

/** Writes SavedModels into a new folder as NAME/VERSION. Resolves to the folder; the caller removes it. */
export async function makeModels(python: string, ...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tensorgate-models-'));
  await run(python, [join(FOLDER, 'make-models'), folder, ...names], { timeout: 120_000 });
  return folder;
}

export type TensorFlowServing = { readonly target: string; readonly pid: number; stop(): Promise<void> };

/** Starts a server with all versions of the named models. Version 1 of the model `versions` has the label stable. */
export async function startTensorFlowServing(
  python: string,
  models: string,
  { names, flags }: { names: readonly string[]; flags: readonly string[] },
): Promise<TensorFlowServing> {
  const configFile = join(models, 'models.config');
  await writeFile(configFile, `model_config_list { ${names.map((name) => modelConfig(models, name)).join(' ')} }`);
  // The last option allows labels at the start, when no version is loaded yet.
  const options = [`--model_config_file=${configFile}`, '--allow_version_labels_for_unavailable_models=true', ...flags];
  const { child, port } = await startOnFreePort(python, options);
  return {
    target: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts it again where another process has taken the port in the meantime. */
async function startOnFreePort(python: string, options: readonly string[]) {
  for (;;) {
    const port = await freePort();
    const child = spawn(python, [join(FOLDER, 'tensorflow_model_server'), `--port=${port}`, ...options], {
      env: { ...process.env, LISTEN_HOST: '127.0.0.1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await listening(child);
      return { child, port };
    } catch (error) {
      if (!(error as Error).message.includes('Address already in use')) throw error;
    }
  }
}

function modelConfig(models: string, name: string): string {
  const label = name === 'versions' ? 'version_labels { key: "stable" value: 1 }' : '';
  const policy = 'model_version_policy { all {} }';
  return `config { name: "${name}" base_path: "${join(models, name)}" model_platform: "tensorflow" ${policy} ${label} }`;
}

/** Resolves when the server logs that it serves. Rejects with its log if it exits before. */
async function listening(child: ChildProcess): Promise<void> {
  const log: string[] = [];
  const ended = once(child, 'close').then(([code]) =>
    Promise.reject(new Error(`the server exited with code ${code}: ${log.join('\n')}`)),
  );
  const served = new Promise<void>((resolve) => {
    // Keep reading until it exits: a full pipe would block it.
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      log.push(line);
      if (line.includes('Running gRPC ModelServer')) resolve();
    });
  });
  await Promise.race([served, ended]);
  ended.catch(() => undefined);
}

/** A port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
