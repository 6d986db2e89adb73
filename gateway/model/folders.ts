/** Reads the folder MODELS: the model.yaml of each model, or why it cannot be used. */
import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FileError, readSmallFile } from '../domain/small-file.ts';
import { type ModelCard, ModelCardError, parseCard } from './card.ts';

export type ModelFolders = {
  /** By the model's name. */
  readonly cards: ReadonlyMap<string, ModelCard>;
  /** The mistakes in model.yaml, by the folder's name. The other models are served. */
  readonly mistakes: ReadonlyMap<string, string>;
  /** The folders that have versions and no model.yaml, by their names. */
  readonly others: ReadonlyMap<string, string>;
};

/** A model.yaml as it was last read. A file with a mistake keeps the last valid card. */
type CardFile = {
  readonly text: string;
  readonly card?: ModelCard;
  readonly mistake?: string;
};

/** Servers ignore names that begin with a dot. */
const MODEL_NAME = /^\w[\w.-]*$/;

/** Files that are read at once. There may be thousands, and few descriptors. */
const OPEN_FILES = 16;

/** Of a path that leads to nothing. */
const MISSING: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR'];

/** The folder MODELS, read again and again. While model.yaml and parity/tensors.json are unchanged, the ModelCard object stays. */
export class ModelsFolder {
  readonly #models: string;
  #files: ReadonlyMap<string, CardFile> = new Map();

  constructor(models: string) {
    this.#models = models;
  }

  /**
   * Reads every NAME/model.yaml. The first folder by name wins if two have the same model.
   * @throws ModelCardError if the folder cannot be read, or has lost every model.yaml since the last read.
   */
  async read(): Promise<ModelFolders> {
    const names = await readdir(this.#models).catch((cause: unknown) => {
      throw new ModelCardError(`MODELS: the folder ${this.#models} cannot be read`, { cause });
    });
    const read = await this.#readAll(names.sort());
    const files = read.flatMap(({ name, file }) => (file ? [[name, file] as const] : []));
    // A folder that is empty from one moment to the next is a mount that is gone.
    if (files.length === 0 && this.#files.size > 0) throw noCards(this.#models);
    this.#files = new Map(files);
    const cards = new Map<string, ModelCard>();
    const mistakes = new Map<string, string>();
    for (const [folder, { card, mistake }] of files) {
      const isTaken = card && cards.has(card.name);
      if (card && !isTaken) cards.set(card.name, card);
      if (isTaken) mistakes.set(folder, `${folder}/model.yaml: name: ${card.name} is taken by another folder`);
      else if (mistake !== undefined) mistakes.set(folder, mistake);
    }
    const unnamed = read.filter(({ name, file }) => !file && !cards.has(name)).map(({ name }) => name);
    return { cards, mistakes, others: await this.#withVersions(unnamed) };
  }

  async #readAll(names: readonly string[]): Promise<{ name: string; file: CardFile | undefined }[]> {
    const read: { name: string; file: CardFile | undefined }[] = [];
    for (let at = 0; at < names.length; at += OPEN_FILES) {
      const some = names.slice(at, at + OPEN_FILES);
      read.push(...(await Promise.all(some.map(async (name) => ({ name, file: await this.#readFile(name) })))));
    }
    return read;
  }

  async #withVersions(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const name of names) {
      const folder = path.join(this.#models, name);
      const children = MODEL_NAME.test(name) ? await readdir(folder).catch((): string[] => []) : [];
      if (children.some((child) => /^\d+$/.test(child))) found.set(name, folder);
    }
    return found;
  }

  /** Undefined without a model.yaml. Symbolic links to folders count too: Kubernetes mounts use them, and so do users. */
  async #readFile(name: string): Promise<CardFile | undefined> {
    const folder = path.join(this.#models, name);
    const file = path.join(folder, 'model.yaml');
    const last = this.#files.get(name);
    try {
      const text = (await readSmallFile(file)).toString();
      const tensors = await stat(path.join(folder, 'parity', 'tensors.json')).catch(() => undefined);
      const tensorsMs = tensors?.mtimeMs;
      if (text === last?.text && tensorsMs === last.card?.tensorsMs) return last;
      return { text, card: { ...parseCard(text, folder), ...(tensorsMs !== undefined && { tensorsMs }) } };
    } catch (thrown) {
      if (!(thrown instanceof ModelCardError || thrown instanceof FileError)) throw thrown;
      const isMissing = thrown instanceof FileError && MISSING.includes(thrown.code);
      // A symbolic link to nowhere is there.
      if (isMissing && !(await lstat(file).catch(() => undefined))) return undefined;
      const mistake = thrown instanceof FileError ? `${name}/model.yaml: ${thrown.message}` : thrown.message;
      return { text: '', ...(last?.card && { card: last.card }), mistake };
    }
  }
}

/**
 * Reads every NAME/model.yaml of the models folder, by the model's name. Throws one ModelCardError for all mistakes. A
 * missing folder and a folder without any model.yaml are mistakes too.
 */
export async function readCards(models: string): Promise<ReadonlyMap<string, ModelCard>> {
  const { cards, mistakes } = await new ModelsFolder(models).read();
  if (mistakes.size > 0) throw new ModelCardError([...mistakes.values()].join('\n'));
  if (cards.size === 0) throw noCards(models);
  return cards;
}

function noCards(models: string): ModelCardError {
  return new ModelCardError(`MODELS: no NAME/model.yaml in ${models}`);
}
