/** The original beside the pixels that the model saw. */
import { canvasOf, make } from './dom.js';
import { seenPixels } from './predict.js';

/** @typedef {import('./predict.js').Instance} Instance */

/** The original is drawn in at most these pixels: a gallery of large photos stays small in memory. */
const MAX_ORIGINAL = 1200;
/** An input of a model is drawn pixel by pixel, and one below this side without smoothing. */
const SMALL_SIDE = 160;

/**
 * Shows the original at once, with room for the pixels beside it.
 * @param {Instance} instance
 */
export function startPictures({ blob, url = '' }) {
  const original = waiting('Original');
  const seen = waiting('What the model saw');
  // It does not reject.
  if (blob) void fill(original, Promise.resolve(blob), MAX_ORIGINAL);
  else original.firstElementChild?.append(linkTo(url));
  return {
    element: make('div', { class: 'pictures' }, original, seen),
    /**
     * Shows the pixels of an instance that has a prediction. Its words are elsewhere if there are none.
     * @param {Instance} instance
     * @param {Pick<import('./predict.js').Question, 'model' | 'version'>} question
     */
    showSeen: (instance, question) => fill(seen, seenPixels(instance, question)),
    /** A picture that was refused has no pixels. */
    dropSeen: () => seen.remove(),
  };
}

/** A photo by its address is not loaded: the page loads nothing from other hosts. @param {string} url */
const linkTo = (url) => make('a', { href: url, target: '_blank', rel: 'noreferrer' }, 'Open the original');

/** @param {string} title */
const waiting = (title) =>
  make('figure', {}, make('p', { class: 'none' }), make('figcaption', {}, make('span', {}, title)));

/**
 * Draws a picture into its figure. A figure whose picture cannot be had or shown is removed.
 * @param {HTMLElement} figure
 * @param {Promise<Blob>} picture
 * @param {number} [maxSide] a larger picture is drawn smaller
 */
async function fill(figure, picture, maxSide) {
  const caption = /** @type {HTMLElement} */ (figure.lastElementChild);
  try {
    const { canvas, width, height } = await canvasOf(await picture, caption.textContent ?? '', maxSide);
    if (maxSide === undefined && Math.max(width, height) < SMALL_SIDE) canvas.className = 'exact';
    figure.firstElementChild?.replaceWith(canvas);
    caption.append(make('span', {}, `${width} × ${height}`));
  } catch {
    figure.remove();
  }
}
