/** Reads model.yaml: the description of a model, shared by the gateway, the embedded server and training. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ImageSpec } from '../domain/picture.ts';
import type { ScoreKind } from '../domain/scores.ts';
import { type Path, readCardDocument } from './card-document.ts';
import { mistakesIn } from './card-mistakes.ts';
import { cardSchema } from './card-schema.ts';

export type ModelCard = {
  readonly name: string;
  readonly signature: string;
  /** Absent for a model that takes tensors. */
  readonly image?: ImageSpec;
  readonly classes?: readonly string[];
  /** Name of the output tensor. Read from the signature when one output fits the classes. */
  readonly output?: string;
  readonly scores: ScoreKind;
  /** The folder of model.yaml. */
  readonly folder: string;
};

/** The mistakes in the model.yaml files, one line each. */
export class ModelCardError extends Error {}

/** Reads one model.yaml. Throws a ModelCardError with one line for each mistake, which names the file, line and field. */
export function parseCard(text: string, folder: string): ModelCard {
  const document = readCardDocument(text);
  const parsed = cardSchema.safeParse(document.value);
  const mistakes = mistakesIn(document, parsed.error?.issues ?? []);
  if (!parsed.success || mistakes.length > 0) {
    const file = path.join(path.basename(folder), 'model.yaml');
    const lines = mistakes.map((mistake) => `${file}:${mistake.line}: ${fieldName(mistake.path)}${mistake.text}`);
    throw new ModelCardError(lines.join('\n'));
  }
  const { image, classes, output, ...card } = parsed.data;
  return {
    ...card,
    ...(image && { image: image as ImageSpec }),
    ...(classes && { classes }),
    ...(output !== undefined && { output }),
    folder,
  };
}

/** `image.size: `; `classes[3]: ` for the fourth class. Empty for the file. */
function fieldName(path: Path): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name && `${name.slice(1)}: `;
}

/**
 * Reads every NAME/model.yaml of the models folder, by name. Throws one ModelCardError for all mistakes. A missing
 * folder and a folder without any model.yaml are mistakes too.
 */
export async function readCards(models: string): Promise<ReadonlyMap<string, ModelCard>> {
  const cards = new Map<string, ModelCard>();
  const mistakes: string[] = [];
  for (const folder of await modelFolders(models)) {
    try {
      const card = parseCard(await readFile(path.join(folder, 'model.yaml'), 'utf8'), folder);
      if (cards.has(card.name)) mistakes.push(`${path.basename(folder)}/model.yaml: name: ${card.name} is taken`);
      cards.set(card.name, card);
    } catch (thrown) {
      if (!(thrown instanceof ModelCardError)) throw thrown;
      mistakes.push(thrown.message);
    }
  }
  if (cards.size === 0 && mistakes.length === 0) mistakes.push(`MODELS: no NAME/model.yaml in ${models}`);
  if (mistakes.length > 0) throw new ModelCardError(mistakes.join('\n'));
  return cards;
}

/** Symbolic links to folders count too: Kubernetes mounts use them, and so do users. */
async function modelFolders(models: string): Promise<string[]> {
  const entries = await readdir(models).catch((cause: unknown) => {
    throw new ModelCardError(`MODELS: the folder ${models} cannot be read`, { cause });
  });
  return entries
    .map((entry) => path.join(models, entry))
    .filter((folder) => existsSync(path.join(folder, 'model.yaml')));
}
