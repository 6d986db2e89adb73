/** A models folder for a test: one clothing model without parity files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export const CLASSES = 'dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt'.split(' ');

/** The model.yaml of the original clothing model. */
export const CARD = `name: clothing-model
image: {size: [299, 299], resize: nearest, scale: tf}
classes: [${CLASSES.join(', ')}]
`;

/** Writes NAME/model.yaml files to a new folder, removed after the test. Default: the original clothing model. */
export async function modelsFolder(t: TestContext, cards: Record<string, string> = { 'clothing-model': CARD }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'models-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(cards)) {
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, 'model.yaml'), text);
  }
  return folder;
}
