/** What the gateway and a decoder process say to each other; the gateway believes none of it unchecked. */
import { z } from 'zod';
import type { ImageFormat, ImageSpec, Resized } from '../../domain/picture.ts';
import { GatewayError, KINDS, type Kind } from '../../errors.ts';

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
const told = z.union([pixels, failure]);
/** Empty: the process has started. */
const ready = z.strictObject({});

export type Answer = z.output<typeof pixels> | z.output<typeof failure> | z.output<typeof ready>;

/** Pixels whose memory is used again once they are released. */
export type SharedPixels = Resized & { release(): void };

/** Memory to be used again; see tensor/pool.ts. */
export type Memory = { take(bytes: number): ArrayBuffer; give(memory: ArrayBuffer): void };

/**
 * Reads the answer to a job: pixels of just the model's size, which `read` fills in from where the decoder put them.
 * @throws GatewayError the decoder's own; internal when the answer does not fit the job.
 */
export function readAnswer(
  answer: unknown,
  { spec }: Job,
  { memory, read }: { readonly memory: Memory; readonly read: (bytes: Uint8Array) => void },
): SharedPixels {
  const parsed = told.safeParse(answer);
  if (!parsed.success) throw misfit(parsed.error);
  if ('kind' in parsed.data) {
    const { kind, detail, cause } = parsed.data;
    throw kind === 'internal' ? misfit(detail) : new GatewayError(kind, detail, { cause: new Error(cause) });
  }
  const { width, height, channels, samples } = parsed.data;
  const [wantedHeight, wantedWidth] = spec.size;
  const fits = width === wantedWidth && height === wantedHeight && channels === (spec.color === 'rgb' ? 3 : 1);
  if (!fits) throw misfit(JSON.stringify(answer));
  const count = width * height * channels;
  const bytes = memory.take(count * SAMPLES[samples].BYTES_PER_ELEMENT);
  try {
    read(new Uint8Array(bytes));
  } catch (cause) {
    throw misfit(cause);
  }
  return { width, height, channels, data: new SAMPLES[samples](bytes), release: () => memory.give(bytes) };
}

function misfit(cause: unknown): GatewayError {
  const detail = 'The gateway failed on this request; the log has the reason.';
  return new GatewayError('internal', detail, { cause: cause instanceof Error ? cause : new Error(String(cause)) });
}
