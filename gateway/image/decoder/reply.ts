/** The messages between the gateway and a decoder process. The gateway validates every reply. */
import { z } from 'zod';
import type { ImageFormat, ImageSpec, Resized } from '../../domain/picture.ts';
import { GatewayError, internalError, KINDS, type Kind } from '../../errors.ts';

/** The argument that a decoder process is started with. */
export type DecodeLimits = {
  readonly formats: readonly ImageFormat[];
  readonly maxPixels: number;
  /** The largest encoded picture. */
  readonly maxBytes: number;
};

/** One picture to decode. Its bytes are the body of the message. */
export type Job = { readonly field: string; readonly spec: ImageSpec };

const SAMPLES = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };

const pixels = z.strictObject({
  width: z.int(),
  height: z.int(),
  channels: z.union([z.literal(1), z.literal(3)]),
  samples: z.enum(['uint8', 'uint16', 'float32']),
});
const failure = z.strictObject({
  kind: z.enum(Object.keys(KINDS) as [Kind, ...Kind[]]),
  detail: z.string(),
  cause: z.string(),
});
const jobReply = z.union([pixels, failure]);
/** An empty object: the process has started. */
const ready = z.strictObject({});

export type Reply = z.output<typeof pixels> | z.output<typeof failure> | z.output<typeof ready>;

/** Pixels in a pooled buffer; `release` returns it to the pool. */
export type PooledPixels = Resized & { release(): void };

/** A pool of buffers, such as tensor/pool.ts. */
export type BufferPool = { take(bytes: number): ArrayBuffer; give(buffer: ArrayBuffer): void };

/**
 * Checks the reply to a job and copies its pixels into a pooled buffer with `read`.
 * @throws GatewayError: the one that the decoder reports; internal for pixels of another size than the model's.
 */
export function readReply(
  reply: unknown,
  { spec }: Job,
  { memory, read }: { readonly memory: BufferPool; readonly read: (bytes: Uint8Array) => void },
): PooledPixels {
  const parsed = jobReply.safeParse(reply);
  if (!parsed.success) throw internalError(parsed.error);
  if ('kind' in parsed.data) {
    const { kind, detail, cause } = parsed.data;
    if (kind === 'internal') throw internalError(new Error(detail));
    throw new GatewayError(kind, detail, { cause: new Error(cause) });
  }
  const { width, height, channels, samples } = parsed.data;
  const [wantedHeight, wantedWidth] = spec.size;
  const fits = width === wantedWidth && height === wantedHeight && channels === (spec.color === 'rgb' ? 3 : 1);
  if (!fits) throw internalError(new Error(JSON.stringify(reply)));
  const count = width * height * channels;
  const bytes = memory.take(count * SAMPLES[samples].BYTES_PER_ELEMENT);
  try {
    read(new Uint8Array(bytes));
  } catch (cause) {
    throw internalError(cause);
  }
  return { width, height, channels, data: new SAMPLES[samples](bytes), release: () => memory.give(bytes) };
}
