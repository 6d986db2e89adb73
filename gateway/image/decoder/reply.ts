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
  /** The pixels in base64, where the shared file has no room for them. Otherwise they are in the file. */
  base64: z.string().optional(),
});
const failure = z.strictObject({
  kind: z.enum(Object.keys(KINDS) as [Kind, ...Kind[]]),
  detail: z.string(),
  cause: z.string(),
});
const replySchema = z.union([pixels, failure]);

export type Reply = z.output<typeof replySchema>;

/** Pixels in a pooled buffer; `release` returns it to the pool. */
export type PooledPixels = Resized & { release(): void };

/** A pool of buffers, such as tensor/pool.ts. */
export type BufferPool = { take(bytes: number): ArrayBuffer; give(buffer: ArrayBuffer): void };

export type ReplyOptions = {
  readonly memory: BufferPool;
  /** Fills the bytes with pixels from the shared file. */
  readonly read: (bytes: Uint8Array) => void;
  /** Called for pixels that the shared file had no room for. */
  readonly onNoRoom: () => void;
};

/**
 * Checks the reply to a job and copies its pixels into a pooled buffer.
 * @throws GatewayError: the one that the decoder reports; internal for pixels of another size than the model's.
 */
export function readReply(reply: unknown, { spec }: Job, { memory, read, onNoRoom }: ReplyOptions): PooledPixels {
  const parsed = replySchema.safeParse(reply);
  if (!parsed.success) throw internalError(parsed.error);
  if ('kind' in parsed.data) {
    const { kind, detail, cause } = parsed.data;
    if (kind === 'internal') throw internalError(new Error(detail));
    throw new GatewayError(kind, detail, { cause: new Error(cause) });
  }
  const { width, height, channels, samples, base64 } = parsed.data;
  const [wantedHeight, wantedWidth] = spec.size;
  const fits = width === wantedWidth && height === wantedHeight && channels === (spec.color === 'rgb' ? 3 : 1);
  if (!fits) throw internalError(new Error(`${width} x ${height} x ${channels} pixels`));
  const buffer = memory.take(width * height * channels * SAMPLES[samples].BYTES_PER_ELEMENT);
  try {
    if (base64 === undefined) read(new Uint8Array(buffer));
    else {
      new Uint8Array(buffer).set(inBase64(base64, buffer.byteLength));
      onNoRoom();
    }
  } catch (cause) {
    throw internalError(cause);
  }
  return { width, height, channels, data: new SAMPLES[samples](buffer), release: () => memory.give(buffer) };
}

function inBase64(text: string, length: number): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== length) throw new RangeError(`the reply has ${bytes.length} of ${length} bytes`);
  return bytes;
}
