/** The straight line: instances in, named scores out. */
import { asGatewayError, GatewayError } from '../errors.ts';
import { sniff } from '../image/sniff.ts';
import type { Route } from '../model/route.ts';
import type { Binding } from '../model/signatures.ts';
import { nameScores, type Scores } from '../scores/answer.ts';
import { cutOff } from './admission.ts';
import type { AskedServable, Backend, ImageSpec, Instance, Pixels, PredictCall, RequestContext } from './request.ts';

/** Images of one request that are fetched and decoded at once; bounds what a single request holds in memory. */
const IMAGES_AT_ONCE = 8;

export type ClassifyRequest = {
  readonly servable: AskedServable;
  readonly instances: readonly Instance[];
  readonly wants: 'raw' | 'probabilities';
  /** Only the best K classes of each instance. */
  readonly top?: number | undefined;
};

/** What became of one instance: its scores, or why it has none. */
export type Outcome = { readonly scores: Scores } | { readonly error: GatewayError };

export type Classification = {
  readonly version: number;
  /** In the order of the request's instances. */
  readonly outcomes: readonly Outcome[];
  /** What was read, encoded, and what was sent to the model server. */
  readonly imageBytes: number;
  readonly tensorBytes: number;
};

/** Decodes as a model's spec asks; `field` is where the image stood in the request. */
export type Decode = (bytes: Uint8Array, spec: ImageSpec, field: string, context: RequestContext) => Promise<Pixels>;

/** The parts of the line, made by the composition root. */
export type Line = {
  readonly resolve: Route;
  readonly fetch: (url: string, field: string, context: RequestContext) => Promise<Uint8Array>;
  readonly decode: Decode;
  readonly preprocess: (pixels: Pixels, spec: ImageSpec, tensor: Float32Array | Uint8Array) => void;
  readonly backend: Backend;
};

/**
 * Scores every instance of a request with one Predict. An instance that cannot be read is an outcome with an error
 * among the others; when none can be read, the first one's error is the request's.
 */
export async function classify(line: Line, request: ClassifyRequest, context: RequestContext): Promise<Classification> {
  const { instances, wants, top } = request;
  const binding = await line.resolve(request.servable, context.signal);
  const servable = { ...request.servable, model: binding.card.name };
  const target = { servable, signature: binding.card.signature, input: binding.input };
  const call = line.backend.prepare(target, instances.length);

  const { rows, errors, imageBytes } = await fillTensor(line, binding, instances, call, context);
  const [firstError] = errors.values();
  if (rows.size === 0 && firstError) throw firstError;

  const { version, outputs } = await context.time('predict', () => call.send(rows.size, context));
  const { classes, scores: gives } = binding.card;
  const scores = nameScores(outputs.get(binding.output), rows.size, { classes, gives, wants, top });
  const outcomes = instances.map((instance): Outcome => {
    const row = rows.get(instance);
    const named = row === undefined ? undefined : scores[row];
    return named ? { scores: named } : { error: asGatewayError(errors.get(instance)) };
  });
  const tensorBytes = (call.tensor.byteLength / instances.length) * rows.size;
  return { version: version ?? binding.version, outcomes, imageBytes, tensorBytes };
}

type Filled = {
  /** The tensor's row of each instance that could be read. Rows are taken in the order of completion, without gaps. */
  readonly rows: ReadonlyMap<Instance, number>;
  readonly errors: ReadonlyMap<Instance, GatewayError>;
  readonly imageBytes: number;
};

async function fillTensor(
  line: Line,
  { card, input }: Binding,
  instances: readonly Instance[],
  { tensor }: PredictCall,
  context: RequestContext,
): Promise<Filled> {
  const rowLength = input.shape.reduce((product, size) => product * size, 1);
  const rows = new Map<Instance, number>();
  const errors = new Map<Instance, GatewayError>();
  let imageBytes = 0;

  async function fillRow(instance: Instance): Promise<void> {
    const bytes = await bytesOf(line, instance, context);
    imageBytes += bytes.length;
    await context.time('decode', async () => {
      const pixels = await line.decode(bytes, card.image, instance.field, context);
      const row = rows.size;
      rows.set(instance, row);
      line.preprocess(pixels, card.image, tensor.subarray(row * rowLength, (row + 1) * rowLength));
    });
  }

  const queue = instances.values();
  async function work(): Promise<void> {
    for (const instance of queue) {
      try {
        await fillRow(instance);
      } catch (thrown) {
        if (context.signal.aborted && !(thrown instanceof GatewayError)) throw cutOff(context.signal);
        const error = asGatewayError(thrown);
        if (context.signal.aborted || error.kind === 'internal') throw error;
        errors.set(instance, error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(IMAGES_AT_ONCE, instances.length) }, work));
  return { rows, errors, imageBytes };
}

async function bytesOf(line: Line, instance: Instance, context: RequestContext): Promise<Uint8Array> {
  if (instance.kind === 'bytes') return instance.bytes;
  const bytes = await context.time('fetch', () => line.fetch(instance.url, instance.field, context));
  if (sniff(bytes)) return bytes;
  throw new GatewayError('source_not_image', `${instance.field}: what the source sent is not an image`);
}
