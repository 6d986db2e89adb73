/** The rules of model.yaml as a schema. */
import { z } from 'zod';
import { PILLOW_FILTERS, TENSORFLOW_METHODS } from '../domain/picture.ts';
import { SCORE_KINDS } from '../domain/scores.ts';

/**
 * Makes the adder of rules about several fields. A rule returns what is wrong with its first field. It is skipped when one of
 * its fields is wrong by itself.
 */
function ruleIn(context: z.core.$RefinementCtx) {
  const wrong = new Set(context.issues.map(({ path = [] }) => path[0]));
  return (fields: readonly [string, ...string[]], find: () => string | undefined): void => {
    const message = fields.some((field) => wrong.has(field)) ? undefined : find();
    if (message !== undefined) context.addIssue({ code: 'custom', path: [fields[0]], message });
  };
}

/** Without it zod skips a refinement after the first mistake of any field. */
const EVEN_AFTER_MISTAKES = { when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null };

const text = z.string().min(1);
const side = z.int().min(1).max(8192);

const image = z
  .strictObject({
    input: text.optional(),
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
  .superRefine(({ size, resize, engine, antialias, fit, scale, color }, context) => {
    const rule = ruleIn(context);
    rule(['resize', 'engine'], () => {
      const methods: readonly string[] = engine === 'pillow' ? PILLOW_FILTERS : TENSORFLOW_METHODS;
      return methods.includes(resize) ? undefined : `engine ${engine} has ${methods.join(', ')}`;
    });
    rule(['antialias', 'engine'], () =>
      antialias && engine !== 'tensorflow' ? 'only engine tensorflow has it' : undefined,
    );
    rule(['scale', 'color'], () => {
      const needsColor = scale === 'torch' || scale === 'caffe';
      return needsColor && color === 'grayscale' ? `${scale} needs the three channels of color: rgb` : undefined;
    });
    rule(['fit', 'size'], () =>
      typeof fit === 'object' && fit.shorter < Math.max(...size)
        ? `shorter: ${fit.shorter} cannot hold a crop of ${size.join('x')}`
        : undefined,
    );
  }, EVEN_AFTER_MISTAKES);

export const cardSchema = z
  .strictObject({
    name: z.string().regex(/^[\w.-]+$/),
    signature: text.default('serving_default'),
    image: image.optional(),
    classes: z.array(text).min(1).optional(),
    output: text.optional(),
    scores: z.enum(SCORE_KINDS).default('logits'),
  })
  .superRefine(({ image, classes }, context) => {
    const rule = ruleIn(context);
    rule(['classes'], () => (image && !classes ? 'an image model needs the names of its classes' : undefined));
    rule(['classes'], () => {
      const twice = classes?.find((name, index) => classes.indexOf(name) < index);
      return twice === undefined ? undefined : `every class needs a name of its own; ${twice} is there twice`;
    });
  }, EVEN_AFTER_MISTAKES);
