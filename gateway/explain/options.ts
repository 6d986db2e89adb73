/** The parameters that ask for an explanation: `explain`, and `explain.…` for how. They have the same names on every route. */
import { z } from 'zod';
import { METHOD_NAMES, type MethodName } from '../domain/explanation.ts';
import { GatewayError } from '../errors.ts';
import { PICTURE_BASELINES, type PictureBaseline } from './baselines.ts';

/** How the integral of gradients is computed. */
const RULES = ['gauss-legendre', 'trapezoid'] as const;
export type QuadratureRule = (typeof RULES)[number];

/** A number, or the digits of one in a query or form. */
function number(minimum: number, maximum: number, { isWhole }: { readonly isWhole: boolean }) {
  const range = `a ${isWhole ? 'whole ' : ''}number from ${minimum} to ${maximum}`;
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,16}(\.\d{1,16})?$/)
          .transform(Number),
      ],
      range,
    )
    .refine((value) => value >= minimum && value <= maximum && (!isWhole || Number.isSafeInteger(value)), range)
    .nullish()
    .meta({ override: { type: isWhole ? 'integer' : 'number', minimum, maximum } });
}
const whole = (minimum: number, maximum: number) => number(minimum, maximum, { isWhole: true });
const real = (minimum: number, maximum: number) => number(minimum, maximum, { isWhole: false });
const oneOf = <const Words extends readonly string[]>(words: Words) => z.enum(words, words.join(' or ')).nullish();

/** By their names in requests. `json` and `png`: only one picture has a PNG. */
export const explainShape = {
  explain: oneOf(METHOD_NAMES).describe(
    'Explains each prediction by this method: what has moved the score, and how much.',
  ),
  'explain.target': z
    .string('one text')
    .min(1, 'the name of a class or an output')
    .max(1000, 'at most 1000 characters')
    .nullish()
    .describe('What is explained: a class, or an output, with an element such as y[3]. Without it the best class.'),
  'explain.baseline': oneOf(PICTURE_BASELINES).describe('What pixels of a picture are replaced by.'),
  'explain.budget': whole(2, 1_000_000).describe('The most inputs that the model scores for one explanation.'),
  'explain.seconds': real(0.01, 3600).describe('The most time for all explanations of the request.'),
  'explain.samples': whole(1, 100_000).describe('shapley: the most pairs of permutations.'),
  'explain.error': real(0, 1).describe(
    'shapley: ends when all standard errors are below this share of the largest attribution.',
  ),
  'explain.regions': whole(2, 1000).describe('shapley: the superpixels of a picture.'),
  'explain.window': whole(1, 4096).describe('occlusion: the side of the hidden square, in pixels of the model.'),
  'explain.stride': whole(1, 4096).describe('occlusion: the distance of the squares, in pixels of the model.'),
  'explain.steps': whole(2, 512).describe('integrated-gradients, xrai: the points between the baseline and the input.'),
  'explain.rule': oneOf(RULES).describe('integrated-gradients, xrai: how the points are placed and weighed.'),
  'explain.seed': whole(0, 2 ** 32 - 1).describe('The seed of random numbers. The same seed gives the same answer.'),
  'explain.cells': whole(1, 4096).describe('The most rows and columns of a grid in the answer; finer ones are summed.'),
  'explain.format': oneOf(['json', 'png']).describe('JSON, or the heat map over the picture.'),
} as const;

export const explainSchema = z.object(explainShape);
type Given = z.output<typeof explainSchema>;

/** The names of all parameters. */
export const EXPLAIN_NAMES: readonly string[] = Object.keys(explainShape);
const PREFIX = 'explain.';

export type ExplainOptions = {
  readonly method: MethodName;
  readonly target?: string;
  readonly baseline?: PictureBaseline;
  readonly budget?: number;
  readonly seconds?: number;
  readonly samples?: number;
  readonly error?: number;
  readonly regions?: number;
  readonly window?: number;
  readonly stride?: number;
  readonly steps?: number;
  readonly rule?: QuadratureRule;
  readonly seed?: number;
  readonly cells?: number;
  readonly format: 'json' | 'png';
  /** Where the parameters are in the request, for error texts: `query `, `parameters.`. */
  readonly place: string;
};

export type OptionName = Exclude<keyof ExplainOptions, 'method' | 'place'>;

/** What every method takes. */
const COMMON: readonly string[] = ['target', 'budget', 'seconds', 'format'];

/**
 * The options of checked parameters. Undefined where no explanation is asked for.
 * @throws GatewayError invalid_request for options without a method.
 */
export function optionsOf(given: Given, place: string): ExplainOptions | undefined {
  const { explain: method, ...others } = given;
  const options = Object.entries(others).flatMap(([name, value]) =>
    name.startsWith(PREFIX) && value !== null && value !== undefined
      ? [[name.slice(PREFIX.length), value] as const]
      : [],
  );
  const [first] = options;
  if (method) return { format: 'json', ...Object.fromEntries(options), method, place };
  if (!first) return undefined;
  const detail = `${place}${PREFIX}${first[0]}: needs explain too: ${METHOD_NAMES.join(', ')}`;
  throw new GatewayError('invalid_request', detail);
}

/** Reads the options among other parameters. @throws GatewayError invalid_request for a value or a name that does not exist. */
export function readOptions(given: Readonly<Record<string, unknown>>, place: string): ExplainOptions | undefined {
  refuseUnknown(Object.keys(given), place);
  const parsed = explainSchema.safeParse(given);
  if (parsed.success) return optionsOf(parsed.data, place);
  const [issue] = parsed.error.issues;
  throw new GatewayError('invalid_request', `${place}${issue?.path.join('.')}: ${issue?.message}`);
}

/** Throws `invalid_request` for a name that begins as the options do and is none: a typing error would change the answer. */
export function refuseUnknown(names: readonly string[], place: string): void {
  const unknown = names.find((name) => name.startsWith(PREFIX) && !EXPLAIN_NAMES.includes(name));
  if (unknown === undefined) return;
  const known = EXPLAIN_NAMES.slice(1).join(', ');
  throw new GatewayError('invalid_request', `${place}${unknown.slice(0, 80)}: not a parameter; known are ${known}`);
}

/** Throws `invalid_request` for an option that means nothing to the method. */
export function requireOptions(options: ExplainOptions, takes: readonly OptionName[]): void {
  const { method, place, ...given } = options;
  const other = Object.keys(given).find((name) => !COMMON.includes(name) && !takes.includes(name as OptionName));
  if (other === undefined) return;
  throw new GatewayError('invalid_request', `${place}${PREFIX}${other}: is not for ${method}; leave it out`);
}
