/** `tensorgate models check`: names every mistake in model.yaml files, without a server. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type FileError, readSmallFile } from '../../domain/small-file.ts';
import { type ModelCard, ModelCardError, parseCard } from '../../model/card.ts';
import { readCards } from '../../model/folders.ts';
import { columns } from '../output.ts';
import type { ModelsContext } from './context.ts';

/**
 * Checks one model's folder, its model.yaml, or all models of a folder such as MODELS, the default. Throws ModelCardError
 * with one line for each mistake.
 */
export async function runCheck(given: string | undefined, { models, output }: ModelsContext): Promise<void> {
  const cards = await cardsIn(given ?? models);
  const rows = cards.map(({ name, image, classes, scores, decision }) => [
    name,
    takes(image),
    gives(classes, scores, decision),
  ]);
  output.result(cards, columns(['model', 'takes', 'gives'], rows));
}

function takes(image: ModelCard['image']): string {
  if (!image) return 'records';
  return 'encoded' in image ? 'encoded pictures' : `pictures as ${image.size.join(' x ')} ${image.color}`;
}

function gives(classes: ModelCard['classes'], scores: string, decision: ModelCard['decision']): string {
  const outputs = classes
    ? `${scores} of ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}`
    : 'its outputs by name';
  return decision ? `${outputs}, and ${decision.name}` : outputs;
}

async function cardsIn(given: string): Promise<readonly ModelCard[]> {
  const folder = path.resolve(path.basename(given) === 'model.yaml' ? path.dirname(given) : given);
  const file = path.join(folder, 'model.yaml');
  if (existsSync(file)) {
    const bytes = await readSmallFile(file).catch((cause: FileError) => {
      throw new ModelCardError(`${file}: ${cause.message}`, { cause });
    });
    return [parseCard(bytes.toString(), folder)];
  }
  return [...(await readCards(folder)).values()];
}
