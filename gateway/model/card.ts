/** Reads model.yaml: the description of a model, shared by the gateway, the embedded server and training. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ImageSpec, PILLOW_FILTERS, TENSORFLOW_METHODS } from '../domain/picture.ts';
import { SCORE_KINDS, type ScoreKind } from '../domain/scores.ts';

const side = z.int().min(1).max(8192);

const image = z
  .strictObject({
    input: z.string().min(1).optional(),
    size: z.tuple([side, side]),
    resize: z.enum([...PILLOW_FILTERS, ...TENSORFLOW_METHODS]).default('nearest'),
    engine: z.enum(['pillow', 'tensorflow']).default('pillow'),
    antialias: z.boolean().default(false),
    fit: z.union([z.enum(['stretch', 'crop']), z.strictObject({ shorter: side })]).default('stretch'),
    scale: z.enum(['tf', 'mul127', 'div255', 'mul255', 'torch', 'caffe', 'none']),
    color: z.enum(['rgb', 'grayscale']).default('rgb'),
    layout: z.enum(['NHWC', 'NCHW']).default('NHWC'),
    pillow: z.int().min(1).default(13),
  })
  .superRefine((spec, context) => {
    const methods: readonly string[] = spec.engine === 'pillow' ? PILLOW_FILTERS : TENSORFLOW_METHODS;
    const problem = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (!methods.includes(spec.resize)) problem('resize', `engine ${spec.engine} has ${methods.join(', ')}`);
    if (spec.antialias && spec.engine !== 'tensorflow') problem('antialias', 'only engine tensorflow has it');
    if (spec.color === 'grayscale' && (spec.scale === 'torch' || spec.scale === 'caffe')) {
      problem('scale', `${spec.scale} needs the three channels of color: rgb`);
    }
    if (typeof spec.fit === 'object' && spec.fit.shorter < Math.max(...spec.size)) {
      problem('fit', `shorter: ${spec.fit.shorter} cannot hold a crop of ${spec.size.join('x')}`);
    }
  });

const schema = z
  .strictObject({
    name: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots, dashes and underscores'),
    signature: z.string().min(1).default('serving_default'),
    image: image.optional(),
    classes: z.array(z.coerce.string().min(1)).min(1).optional(),
    output: z.string().min(1).optional(),
    scores: z.enum(SCORE_KINDS).default('logits'),
  })
  .superRefine(({ image, classes }, context) => {
    if (image && !classes) {
      context.addIssue({ code: 'custom', path: ['classes'], message: 'an image model needs the names of its classes' });
    }
    if (classes && new Set(classes).size < classes.length) {
      context.addIssue({ code: 'custom', path: ['classes'], message: 'every class needs a name of its own' });
    }
  });

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

/** Reads one model.yaml. Throws a ModelCardError with one line for each mistake, which names the file and the field. */
export function parseCard(text: string, folder: string): ModelCard {
  const file = path.join(path.basename(folder), 'model.yaml');
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new ModelCardError(`${file}: not YAML: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${file}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
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
