/** The legend of a heat map: its colours, and the attributions that they stand for. */
import { colorOf } from './colors.ts';
import { drawText, GLYPH_HEIGHT, numberText, textWidth } from './digits.ts';

const SCALE = 2;
const GAP = 6;
const BAR = 14;
const PAPER = 255;
const INK = 32;

/** RGB, row-major. */
export type Drawn = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Draws it. `scale`: the attribution of the last colour; the first one has its negative. */
export function drawLegend(width: number, scale: number): Drawn {
  const height = GAP + BAR + GAP + GLYPH_HEIGHT * SCALE + GAP;
  const data = new Uint8Array(3 * width * height).fill(PAPER);
  for (let x = GAP; x < width - GAP; x += 1) {
    const color = colorOf((2 * (x - GAP)) / Math.max(1, width - 2 * GAP - 1) - 1);
    for (let y = GAP; y < GAP + BAR; y += 1) data.set(color, 3 * (y * width + x));
  }
  const top = GAP + BAR + GAP;
  const write = (text: string, left: number) =>
    drawText(text, SCALE, (x, y) => {
      if (left + x >= 0 && left + x < width)
        data.fill(INK, 3 * ((top + y) * width + left + x), 3 * ((top + y) * width + left + x) + 3);
    });
  const most = numberText(scale);
  write(numberText(-scale), GAP);
  write(most, width - GAP - textWidth(most, SCALE));
  write('0', Math.round((width - textWidth('0', SCALE)) / 2));
  return { width, height, data };
}
