/** The first half of the line: every instance fetched, decoded and written into its row of the input tensor. */

import type { Backend, PredictCall } from '../domain/backend.ts';
import type { Decode, Instance, Normalise } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, GatewayError } from '../errors.ts';
import { sniff } from '../image/sniff.ts';
import type { Route } from '../model/route.ts';
import type { Binding } from '../model/signatures.ts';
import { cutOff } from './cut-off.ts';

/** Images of one request that are fetched and decoded at once; bounds what a single request holds in memory. */
export const IMAGES_AT_ONCE = 8;

/** The parts of the line, made by the composition root. */
export type Line = {
  readonly resolve: Route;
  readonly fetch: (url: string, field: string, context: RequestContext) => Promise<Uint8Array>;
  /** Called by each that fills rows when there are no more: others may work in its place. */
  readonly rest: (context: RequestContext) => void;
  readonly decode: Decode;
  readonly normalise: Normalise;
  /** Makes a call, again where the backend has no room at first. */
  readonly insist: <T>(context: RequestContext, call: () => Promise<T>) => Promise<T>;
  readonly backend: Backend;
};

export type Batch = {
  readonly binding: Binding;
  readonly instances: readonly Instance[];
  /** Has room for every instance, written in place. */
  readonly call: Pick<PredictCall, 'tensor'>;
};

export type Filled = {
  /** The tensor's row of each instance that could be read. Rows are taken in the order of completion, without gaps. */
  readonly rows: ReadonlyMap<Instance, number>;
  readonly errors: ReadonlyMap<Instance, GatewayError>;
  readonly imageBytes: number;
};

/**
 * Fills the tensor. An instance that cannot be read is an error among the others; throws only where the request as a
 * whole is over: its deadline, its client gone, a fault of our own.
 */
export async function fillTensor(
  line: Line,
  { binding, instances, call }: Batch,
  context: RequestContext,
): Promise<Filled> {
  const { image } = binding.card;
  const rows = new Map<Instance, number>();
  const errors = new Map<Instance, GatewayError>();
  let imageBytes = 0;

  async function fillRow(instance: Instance): Promise<void> {
    const bytes = await bytesOf(line, instance, context);
    imageBytes += bytes.length;
    await context.time('decode', async () => {
      const pixels = await line.decode(bytes, image, instance.field, context);
      const { tensor } = call;
      const rowLength = tensor.length / instances.length;
      const start = rows.size * rowLength;
      line.normalise(pixels, image, tensor.subarray(start, start + rowLength));
      pixels.release();
      rows.set(instance, rows.size);
    });
  }

  const queue = instances.values();
  async function work(): Promise<void> {
    for (const instance of queue) {
      try {
        await fillRow(instance);
      } catch (thrown) {
        errors.set(instance, ownError(thrown, context));
      }
    }
    line.rest(context);
  }
  await Promise.all(Array.from({ length: Math.min(IMAGES_AT_ONCE, instances.length) }, work));
  return { rows, errors, imageBytes };
}

/** What an instance failed with; throws what is not that instance's alone. */
function ownError(thrown: unknown, { signal }: RequestContext): GatewayError {
  const error = signal.aborted && !(thrown instanceof GatewayError) ? cutOff(signal) : asGatewayError(thrown);
  if (signal.aborted || error.kind === 'internal') throw error;
  return error;
}

/** An instance's encoded image, fetched where it is a URL. Throws what `fetch` throws, and `source_not_image`. */
export async function bytesOf(
  line: Pick<Line, 'fetch'>,
  instance: Instance,
  context: RequestContext,
): Promise<Uint8Array> {
  if (instance.kind === 'bytes') return instance.bytes;
  const bytes = await context.time('fetch', () => line.fetch(instance.url, instance.field, context));
  if (sniff(bytes)) return bytes;
  throw new GatewayError('source_not_image', `${instance.field}: what the source sent is not an image`);
}
