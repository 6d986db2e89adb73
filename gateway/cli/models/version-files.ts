/** Lists the files of a version and checks whether a server could load them. */
import { constants } from 'node:fs';
import { access, open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { VersionFile } from './copy.ts';
import { refused } from './failure.ts';
import { readFieldNumbers } from './wire.ts';

const SAVED_MODEL = 'saved_model.pb';
const ONNX = 'model.onnx';
/** The field numbers of SavedModel.meta_graphs and onnx.ModelProto.graph. */
const META_GRAPHS_FIELD = 2;
const GRAPH_FIELD = 7;

const INDEX = 'variables/variables.index';
const SHARD = /^variables\/variables\.data-(\d{5})-of-(\d{5})$/;
/** The operations that create a variable in TensorFlow 2 and 1. A graph without them has only constants. */
const VARIABLE_OPS = ['VarHandleOp', 'VariableV2'];

/**
 * Every file in a version's folder. Links to files are followed: the copy must not depend on other folders. Throws
 * `refused` for links to folders, which could lead anywhere, for other things than files, and for unreadable files.
 */
export async function listVersionFiles(folder: string): Promise<VersionFile[]> {
  const about = await stat(folder).catch(unreadable(folder));
  if (!about.isDirectory())
    throw refused(`${folder}: is not a folder; a version is the folder with saved_model.pb in it`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unreadable(folder));
  const files = entries.filter((entry) => !entry.isDirectory());
  return Promise.all(files.map((entry) => describeFile(folder, path.join(entry.parentPath, entry.name))));
}

async function describeFile(folder: string, file: string): Promise<VersionFile> {
  const about = await stat(file).catch(unreadable(file));
  if (about.isDirectory()) throw refused(`${file}: is a link to a folder; copy that folder in its place`);
  if (!about.isFile()) throw refused(`${file}: is not a file`);
  await access(file, constants.R_OK).catch(unreadable(file));
  return { name: path.relative(folder, file), bytes: about.size };
}

function unreadable(file: string) {
  return (cause: NodeJS.ErrnoException): never => {
    const why = { ENOENT: 'does not exist', EACCES: 'may not be read by this user' }[String(cause.code)];
    throw refused(`${file}: ${why ?? `cannot be read: ${cause.code}`}`, { cause });
  };
}

/** The files that servers load: saved_model.pb, and one .onnx per signature. */
export function modelFiles(files: readonly VersionFile[]): string[] {
  return files.map(({ name }) => name).filter((name) => name === SAVED_MODEL || /^[^/]+\.onnx$/.test(name));
}

/** Throws `refused` for a version that no server could load: a file is missing, empty or truncated. */
export async function checkVersion(folder: string, files: readonly VersionFile[]): Promise<void> {
  const names = modelFiles(files);
  const lacks = (name: string) => !names.includes(name);
  const signature = names.find((name) => name !== SAVED_MODEL && name !== ONNX);
  if (signature && lacks(ONNX)) {
    throw refused(`${folder}: ${ONNX} is missing; ${signature} is another signature of it and reads its weights`);
  }
  if (lacks(SAVED_MODEL) && lacks(ONNX)) throw refused(`${folder}: has neither ${SAVED_MODEL} nor ${ONNX}`);
  for (const name of names) {
    await checkMessage(path.join(folder, name), name === SAVED_MODEL ? META_GRAPHS_FIELD : GRAPH_FIELD);
  }
  if (!lacks(SAVED_MODEL)) await checkVariables(folder, files);
}

async function checkMessage(file: string, graphField: number): Promise<void> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  if (size === 0) throw refused(`${file}: is empty`);
  const fields = await readFieldNumbers(handle, size).catch((cause: unknown) => {
    throw cause instanceof SyntaxError ? refused(`${file}: cannot be loaded: ${cause.message}`, { cause }) : cause;
  });
  if (!fields.has(graphField)) throw refused(`${file}: cannot be loaded: there is no graph in it`);
}

/** A SavedModel with variables needs its index and all shards. One with only constants needs neither. */
async function checkVariables(folder: string, files: readonly VersionFile[]): Promise<void> {
  const bytes = new Map(files.map((file) => [file.name, file.bytes]));
  const shards = [...bytes.keys()].flatMap((name) => SHARD.exec(name)?.[2] ?? []);
  if (shards.length === 0 && !bytes.has(INDEX) && !(await hasVariables(folder))) return;
  const total = shards[0] ?? '00001';
  const wanted = Array.from({ length: Number(total) }, (_, index) => {
    return `variables/variables.data-${String(index).padStart(5, '0')}-of-${total}`;
  });
  for (const name of [INDEX, ...wanted]) {
    if (!bytes.has(name)) throw refused(`${folder}: ${name} is missing; the SavedModel's variables are incomplete`);
    if (bytes.get(name) === 0) throw refused(`${folder}: ${name} is empty; the SavedModel's variables are incomplete`);
  }
}

async function hasVariables(folder: string): Promise<boolean> {
  const graph = await readFile(path.join(folder, SAVED_MODEL));
  return VARIABLE_OPS.some((operation) => graph.includes(operation));
}
