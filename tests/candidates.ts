/** Versions to push: tiny models, complete or broken, in the layout that training and convert write. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { addModel } from '../serving/embedded/testing/onnx-models.ts';

/** File contents by path within a folder. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** The outermost message of a SavedModel: schema version 1 and one graph of these bytes. It cannot be run. */
export function savedModel(graph: string): Buffer {
  return Buffer.concat([Buffer.of(0x08, 1, 0x12, graph.length), Buffer.from(graph)]);
}

export const INDEX = 'variables/variables.index';
export const SHARD = 'variables/variables.data-00000-of-00001';

/** A version in both formats, with variables. */
export const WHOLE: Files = {
  'saved_model.pb': savedModel('VarHandleOp'),
  [INDEX]: 'index',
  [SHARD]: 'weights',
  'model.onnx': addModel(1),
};

/** Creates a temporary folder, removed after the test. */
export async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'push-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files and the folders they need. Returns the folder. */
export async function writeFiles(folder: string, files: Files): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Files that training writes beside a version: model.yaml, evaluation, parity scores, a picture, its tensor's hash. */
export function surroundings(model: string): Files {
  const json = (value: object) => JSON.stringify(value);
  return {
    'model.yaml': `name: ${model}\nimage: {size: [8, 8], scale: tf}\nclasses: [cat, dog]\n`,
    'evaluation/1.json': json({
      version: 1,
      model,
      lineage: { run_id: 'run-7', commit: 'c0ffee', data_sha256: 'da7a', settings: { seed: 1 } },
      test: { accuracy: 0.875 },
      gate: { decision: 'accepted' },
    }),
    'parity/1.json': json({ version: 1, tolerance: 1e-4, scores: { 'a.png': [1, 2] } }),
    'parity/tensors.json': json({ samples: [{ file: 'a.png', sha256: 'abc' }] }),
    'parity/a.png': 'picture',
  };
}

/** The contents of all files below a folder, by relative path, as Latin-1. */
export async function readFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const contents = files.sort().map(async (file) => [path.relative(folder, file), await readFile(file, 'latin1')]);
  return Object.fromEntries(await Promise.all(contents));
}
