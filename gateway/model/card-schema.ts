/** The rules of model.yaml as a schema. */
import { z } from 'zod';
import { NAMED_SCALES, PILLOW_FILTERS, PLACES, TENSORFLOW_METHODS } from '../domain/picture.ts';
import { SCORE_KINDS } from '../domain/scores.ts';
import { EVEN_AFTER_MISTAKES, ruleIn } from './card-rules.ts';
import { guard, shadow, traffic } from './card-traffic.ts';
import { backend, text, timeout } from './card-values.ts';

const side = z.int().min(1).max(8192);

const byte = z.int().min(0).max(255);
const fit = z.union([
  z.enum(['stretch', 'crop']),
  z.strictObject({ shorter: side }),
  z.literal('pad').transform(() => ({ pad: 0, place: 'center' as const })),
  z.strictObject({ pad: z.union([byte, z.array(byte).length(3)]), place: z.enum(PLACES).default('center') }),
]);

/** One number for each channel. */
const channels = (number: z.ZodNumber) => z.union([z.array(number).length(1), z.array(number).length(3)]);
const scale = z.union([
  z.enum(NAMED_SCALES),
  z.strictObject({
    divide: z.number().positive().default(255),
    mean: channels(z.number()),
    std: channels(z.number().positive()),
  }),
]);

const pixels = z
  .strictObject({
    input: text.optional(),
    encoded: z.boolean().optional(),
    size: z.tuple([side, side]),
    resize: z.enum([...PILLOW_FILTERS, ...TENSORFLOW_METHODS]).default('nearest'),
    engine: z.enum(['pillow', 'tensorflow']).default('pillow'),
    antialias: z.boolean().default(false),
    fit: fit.default('stretch'),
    scale,
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
      if (typeof scale === 'object') return mistakeIn(scale, color);
      const needsColor = scale === 'torch' || scale === 'caffe';
      return needsColor && color === 'grayscale' ? `${scale} needs the three channels of color: rgb` : undefined;
    });
    rule(['fit', 'size'], () =>
      typeof fit === 'object' && 'shorter' in fit && fit.shorter < Math.max(...size)
        ? `shorter: ${fit.shorter} cannot hold a crop of ${size.join('x')}`
        : undefined,
    );
    rule(['fit', 'color'], () =>
      typeof fit === 'object' && 'pad' in fit && typeof fit.pad === 'object' && color === 'grayscale'
        ? 'pad takes one number for color: grayscale'
        : undefined,
    );
  }, EVEN_AFTER_MISTAKES)
  .transform(({ encoded: _, ...spec }) => spec);

function mistakeIn({ divide, mean, std }: z.output<typeof scale> & object, color: string): string | undefined {
  const wanted = color === 'grayscale' ? 1 : 3;
  if (mean.length !== wanted || std.length !== wanted) return `mean and std have ${wanted} numbers for color: ${color}`;
  const isOfBytes = divide > 1 && mean.some((value) => Math.abs(value) > MAX_SCALED_MEAN);
  return isOfBytes ? `the mean is of x / ${divide}, from 0 to 1; for a mean of 0 to 255 add divide: 1` : undefined;
}

/** A mean above it is one of bytes. */
const MAX_SCALED_MEAN = 2;

/** A model that decodes pictures itself. */
const encoded = z
  .looseObject({ encoded: z.literal(true), input: text.optional() })
  .superRefine((given, context) => {
    for (const key of Object.keys(given).filter((name) => name !== 'encoded' && name !== 'input')) {
      const message = 'not with encoded: the model decodes and resizes by itself';
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .transform(({ encoded, input }) => ({ encoded, ...(input !== undefined && { input }) }));

/** `encoded` decides which fields there are. A union would report the mistakes of both kinds. */
export const imageSchema = z.looseObject({}).transform((given, context) => {
  const parsed = (given.encoded === true ? encoded : pixels).safeParse(given);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: given } as z.core.$ZodRawIssue);
  return z.NEVER;
});

const names = z.array(text).min(1);
/** A file beside model.yaml or in a folder there. */
const file = text.refine(
  (name) => !name.startsWith('/') && !name.split(/[/\\]/).includes('..'),
  'needs a file in the folder of model.yaml, such as background.json',
);
const decision = z.strictObject({ output: text, threshold: z.number().default(0.5), name: text });
const record = z.strictObject({ in: text.optional(), id: text.default('id') });

/** What people may give for an input. */
const input = z
  .strictObject({
    about: text.optional(),
    choices: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  })
  .superRefine(({ choices, minimum, maximum }, context) => {
    const rule = ruleIn(context);
    rule(['minimum', 'maximum'], () =>
      minimum !== undefined && maximum !== undefined && minimum > maximum
        ? `is above the maximum ${maximum}`
        : undefined,
    );
    rule(['choices', 'minimum', 'maximum'], () =>
      choices && (minimum !== undefined || maximum !== undefined) ? 'not with minimum or maximum' : undefined,
    );
  }, EVEN_AFTER_MISTAKES);

export const cardSchema = z
  .strictObject({
    name: z.string().regex(/^[\w.-]+$/),
    signature: text.optional(),
    image: imageSchema.optional(),
    columns: names.optional(),
    record: record.optional(),
    inputs: z.record(text, input).optional(),
    classes: names.optional(),
    output: text.optional(),
    scores: z.enum(SCORE_KINDS).default('logits'),
    decision: decision.optional(),
    background: file.optional(),
    redact: names.optional(),
    traffic: traffic.optional(),
    shadow: shadow.optional(),
    guard: guard.optional(),
    backend: backend.optional(),
    timeout: timeout.optional(),
    max_in_flight: z.int().min(1).max(100_000).optional(),
  })
  .superRefine(({ image, classes, columns, ...fields }, context) => {
    const rule = ruleIn(context);
    rule(['classes'], () => (image && !classes ? 'an image model needs the names of its classes' : undefined));
    rule(['classes'], () => repeated('class', classes));
    rule(['columns'], () => repeated('column', columns));
    rule(['redact', 'image'], () => {
      const other = image && fields.redact?.find((name) => !OF_PICTURES.includes(name));
      return other === undefined ? undefined : `an image model has ${OF_PICTURES.join(' and ')}, and no ${other}`;
    });
    rule(['guard', 'classes', 'scores', 'decision'], () => {
      const hasBest = (classes && fields.scores !== 'values') || fields.decision;
      const isAsked = fields.guard?.minTop1Agreement !== undefined;
      return isAsked && !hasBest ? 'min_top1_agreement is for models with classes or a decision' : undefined;
    });
    for (const field of OF_TABLES) {
      const isGiven = { columns, ...fields }[field] !== undefined;
      rule([field], () => (image && isGiven ? 'is for models without image' : undefined));
    }
  }, EVEN_AFTER_MISTAKES);

/** Fields of an instance that is a picture. */
const OF_PICTURES: readonly string[] = ['url', 'id'];

/** Fields of models that take records. */
const OF_TABLES = ['columns', 'record', 'inputs', 'decision', 'background'] as const;

/** A name that is in a list twice, as a mistake. */
function repeated(what: string, list: readonly string[] = []): string | undefined {
  const twice = list.find((name, index) => list.indexOf(name) < index);
  return twice === undefined ? undefined : `every ${what} needs a name of its own; ${twice} is there twice`;
}
