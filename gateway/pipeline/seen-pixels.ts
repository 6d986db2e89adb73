/** The pixels that a model sees of a picture: decoded, fitted and resized as for a prediction, before they are scaled. */
import type { EncodedPicture, ImageSpec, Instance, Pixels } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { asGatewayError, GatewayError } from '../errors.ts';
import { ownLine } from './own-line.ts';
import { readImages } from './read-images.ts';
import type { FoundModel } from './records.ts';
import type { Stages } from './stages.ts';

export type SeenPixels = Omit<Pixels, 'data'> & { readonly data: Uint8Array };

/** The spec without its scale, once for each model: decoders keep tables by the spec. */
const unscaled = new WeakMap<ImageSpec, ImageSpec>();

/**
 * Decodes one picture by the model's own line. Samples are rounded to 8 bits, where the model gets fractions of
 * tf.image.resize or 16-bit gray.
 * @throws GatewayError of the picture; unsupported_media for a model without pictures, or that decodes them itself.
 */
export async function seenPixels(
  shared: Pick<Stages, 'admission' | 'ownAdmission' | 'fetch' | 'fetchedBytes' | 'maxFetchedBytes' | 'fillRow'>,
  { routed: { card } }: Pick<FoundModel, 'routed'>,
  instance: Instance,
  given: RequestContext,
): Promise<SeenPixels> {
  const { image } = card;
  if (!image || 'encoded' in image || instance.kind === 'row') {
    const why = image ? 'decodes pictures itself' : 'takes no pictures';
    throw new GatewayError('unsupported_media', `model: ${card.name} ${why}; ask a model that takes pixels.`);
  }
  const { stages, context } = ownLine(shared, card, given);
  const share = stages.fetchedBytes.open();
  try {
    const { values, errors } = await readImages(stages, [instance], share, context);
    const bytes = values.get(instance);
    if (!bytes) throw asGatewayError(errors.get(instance));
    const samples = await stages.admission.admit(context, 1, () =>
      decodePixels(stages, { bytes, field: instance.field }, image, context),
    );
    const [height, width] = image.size;
    // A Uint8ClampedArray rounds, and keeps 0 to 255.
    const data = new Uint8Array(new Uint8ClampedArray(samples).buffer);
    return { width, height, channels: channelsOf(image), data };
  } finally {
    share.release();
  }
}

/** The samples of one picture before they are scaled, not rounded: row-major, channels interleaved. @throws GatewayError of the picture. */
export async function decodePixels(
  { fillRow }: Pick<Stages, 'fillRow'>,
  picture: Pick<EncodedPicture, 'bytes' | 'field'>,
  image: ImageSpec,
  context: RequestContext,
): Promise<Float32Array> {
  const [height, width] = image.size;
  const samples = new Float32Array(height * width * channelsOf(image));
  const asked = { ...picture, spec: withoutScale(image) };
  await context.time('decode', () =>
    fillRow(asked, { type: 'DT_FLOAT', fill: (write) => void write(samples) }, context),
  );
  return samples;
}

function channelsOf({ color }: ImageSpec): 1 | 3 {
  return color === 'rgb' ? 3 : 1;
}

function withoutScale(image: ImageSpec): ImageSpec {
  const spec = unscaled.get(image) ?? ({ ...image, scale: 'none', layout: 'NHWC' } as const);
  unscaled.set(image, spec);
  return spec;
}
