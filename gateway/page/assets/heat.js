/** The heat map of a photo over the pixels that the model saw. */
import { canvasOf, make } from './dom.js';

/** How much of the heat map is seen at first. */
const OPACITY = 0.8;

/**
 * The map and its legend, with a slider between the pixels and the map.
 * @param {Blob} heat the gateway's PNG: the map, and its legend below
 * @param {Blob} seen the pixels that the model saw
 */
export async function heatMap(heat, seen) {
  const [drawn, pixels] = await Promise.all([canvasOf(heat, ''), canvasOf(seen, '')]);
  const { width } = drawn;
  // The map has the shape of the pixels. What is below it is the legend.
  const height = Math.round((width * pixels.height) / pixels.width);
  const canvas = make('canvas', { role: 'img', 'aria-label': 'Heat map of the parts that moved the score' });
  canvas.width = width;
  canvas.height = height;
  const slider = make('input', { type: 'range', min: '0', max: '1', step: '0.05', value: `${OPACITY}` });
  const draw = () => {
    const context = canvas.getContext('2d');
    if (!context) return;
    context.globalAlpha = 1;
    context.drawImage(pixels.canvas, 0, 0, width, height);
    context.globalAlpha = Number(slider.value);
    context.drawImage(drawn.canvas, 0, 0, width, height, 0, 0, width, height);
  };
  slider.addEventListener('input', draw);
  draw();
  return make(
    'figure',
    { class: 'heat' },
    canvas,
    legendOf(drawn, height),
    make('label', {}, 'Photo to heat map', slider),
    make('figcaption', {}, 'Yellow parts have raised the score of the best class, blue parts have lowered it.'),
  );
}

/** @param {{ canvas: HTMLCanvasElement, width: number, height: number }} drawn @param {number} top */
function legendOf({ canvas, width, height }, top) {
  const legend = make('canvas', { role: 'img', 'aria-label': 'Legend: from blue, the least attribution, to yellow' });
  legend.width = width;
  legend.height = height - top;
  legend.getContext('2d')?.drawImage(canvas, 0, -top);
  return legend;
}
