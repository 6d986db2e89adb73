/** The heat map of an explanation over its picture, as a PNG. */
import type { Explanation, SeenPicture } from '../../domain/explanation.ts';
import { inTurns, type Steps } from '../../domain/steps.ts';
import { colorOf } from './colors.ts';
import { drawLegend } from './legend.ts';
import { pixelValues } from './values.ts';

/** The longer side of the map. Smaller pictures are enlarged. */
const SIDE = 640;
/** How much of the colour covers the picture, where the attribution is 0 and where it is the largest. */
const [LEAST_ALPHA, MOST_ALPHA] = [0.2, 0.75];
const GRAY = [0.299, 0.587, 0.114] as const;
/** Pixels of one step: about a millisecond. */
const PIXELS_OF_STEP = 2 ** 12;

/**
 * Draws the colours over the picture in gray, with a legend below. sharp resizes and compresses in its threads; it is loaded
 * with the first map.
 * @throws TypeError for an explanation of a record.
 */
export async function drawHeat({ attributions, picture }: Explanation): Promise<Buffer> {
  if (!picture || attributions.kind === 'features') throw new TypeError('only pictures have a heat map');
  const { height, width } = picture;
  const { values, scale } = await inTurns(pixelValues(attributions, picture));
  const colored = await inTurns(overlaid(picture, values));
  const enlarged = Math.max(1, SIDE / Math.max(height, width));
  const size = { width: Math.round(width * enlarged), height: Math.round(height * enlarged) };
  const { default: sharp } = await import('sharp');
  const map = await sharp(colored, { raw: { width, height, channels: 3 } })
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  const legend = drawLegend(size.width, scale);
  const pieces = Buffer.concat([map, legend.data]);
  return sharp(pieces, { raw: { width: size.width, height: size.height + legend.height, channels: 3 } })
    .png()
    .toBuffer();
}

function* overlaid({ channels, data }: SeenPicture, values: Float32Array): Steps<Uint8Array> {
  const out = new Uint8Array(3 * values.length);
  for (const [pixel, value] of values.entries()) {
    const gray = channels === 1 ? (data[pixel] as number) : luma(data, 3 * pixel);
    const alpha = LEAST_ALPHA + (MOST_ALPHA - LEAST_ALPHA) * Math.abs(value);
    for (const [channel, level] of colorOf(value).entries()) {
      out[3 * pixel + channel] = Math.round(alpha * level + (1 - alpha) * gray);
    }
    if (pixel % PIXELS_OF_STEP === PIXELS_OF_STEP - 1) yield;
  }
  return out;
}

function luma(data: Uint8Array, at: number): number {
  return GRAY[0] * (data[at] as number) + GRAY[1] * (data[at + 1] as number) + GRAY[2] * (data[at + 2] as number);
}
