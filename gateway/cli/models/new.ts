/** `tensorgate models new`: writes a model.yaml that explains its fields. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CardKind, newCardText } from '../../model/new-card.ts';
import type { ModelsContext } from './context.ts';
import { refused, writeFailure } from './failure.ts';
import { modelPath } from './model-folder.ts';

/** Writes MODELS/NAME/model.yaml. Throws `refused` if it is there already, `failed` if it cannot be written. */
export async function runNew(name: string, kind: CardKind, { models, output }: ModelsContext): Promise<void> {
  const folder = modelPath(models, name);
  const file = path.join(folder, 'model.yaml');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, newCardText(name, kind), { flag: 'wx' });
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') {
      throw refused(`${file}: is there already; tensorgate models check ${folder} names its mistakes`);
    }
    throw writeFailure(thrown, 'nothing was written');
  }
  output.result({ file }, `${file}: written; edit it, then run tensorgate models check ${folder}`);
}
