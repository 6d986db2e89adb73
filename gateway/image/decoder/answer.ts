/** What the gateway and a decoder process say to each other; the gateway believes none of it unchecked. */
import { z } from 'zod';
import { GatewayError, KINDS, type Kind } from '../../errors.ts';
import type { ImageFormat, ImageSpec, Resized } from '../../pipeline/request.ts';
import type { Frame } from './frames.ts';

/** What a decoder is started with. */
export type Limits = {
  readonly formats: readonly ImageFormat[];
  readonly maxPixels: number;
  /** The largest encoded picture. */
  readonly maxBytes: number;
};

/** One picture to decode; its bytes are the frame's body. */
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
/** Empty: the process has started. */
const ready = z.strictObject({});

export type Answer = z.output<typeof pixels> | z.output<typeof failure> | z.output<typeof ready>;

/** The bytes that pixels of a model's size have at most. */
export function maxAnswerBytes({ size: [height, width] }: ImageSpec): number {
  return height * width * 3 * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Reads the answer to a job: pixels of just the model's size.
 * @throws GatewayError the decoder's own; internal when the answer does not fit the job.
 */
export function readAnswer({ head, body }: Frame, { spec }: Job): Resized {
  const parsed = z.union([pixels, failure]).safeParse(head);
  if (!parsed.success) throw misfit(parsed.error);
  if ('kind' in parsed.data) {
    const { kind, detail, cause } = parsed.data;
    throw kind === 'internal' ? misfit(detail) : new GatewayError(kind, detail, { cause: new Error(cause) });
  }
  const { width, height, channels, samples } = parsed.data;
  const [wantedHeight, wantedWidth] = spec.size;
  const fits = width === wantedWidth && height === wantedHeight && channels === (spec.color === 'rgb' ? 3 : 1);
  const type = SAMPLES[samples];
  const count = width * height * channels;
  const aligned = body.byteOffset % type.BYTES_PER_ELEMENT === 0;
  if (!fits || !aligned || body.length !== count * type.BYTES_PER_ELEMENT) throw misfit(JSON.stringify(head));
  return { width, height, channels, data: new type(body.buffer as ArrayBuffer, body.byteOffset, count) };
}

function misfit(cause: unknown): GatewayError {
  const detail = 'The gateway failed on this request; the log has the reason.';
  return new GatewayError('internal', detail, { cause: cause instanceof Error ? cause : new Error(String(cause)) });
}
