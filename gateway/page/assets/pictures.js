/** The original beside the pixels that the model saw. */
import { canvasOf, make } from './dom.js';
import { seenPixels } from './predict.js';

/** @typedef {import('./predict.js').Instance} Instance */

/** The original is drawn in at most these pixels: a gallery of large photos stays small in memory. */
const MAX_ORIGINAL = 1200;
/** An input of a model is drawn pixel by pixel, and one below this side without smoothing. */
const SMALL_SIDE = 160;

/**
 * Of a picture that was refused there is only the original, if the browser can show it.
 * @param {Instance} instance
 * @param {Pick<import('./predict.js').Question, 'model' | 'version'> | undefined} question undefined: it was refused
 */
export async function picturesOf(instance, question) {
  const [original, seen] = await Promise.all([originalOf(instance), question && seenOf(instance, question)]);
  return make('div', { class: 'pictures' }, original ?? '', seen ?? '');
}

/** A photo by its address is not loaded: the page loads nothing from other hosts. @param {Instance} instance */
async function originalOf({ blob, url = '' }) {
  if (blob) return figure(blob, 'Original', MAX_ORIGINAL);
  const link = make('a', { href: url, target: '_blank', rel: 'noreferrer' }, 'Open the original');
  return make('figure', {}, make('p', { class: 'none' }, link), make('figcaption', {}, 'Original'));
}

/** @param {Instance} instance @param {Pick<import('./predict.js').Question, 'model' | 'version'>} question */
async function seenOf(instance, question) {
  try {
    return await figure(await seenPixels(instance, question), 'What the model saw');
  } catch {
    return undefined; // The prediction beside it has the words.
  }
}

/**
 * A picture with its caption; undefined for one that the browser cannot show.
 * @param {Blob} blob
 * @param {string} title
 * @param {number} [maxSide] a larger picture is drawn smaller
 */
async function figure(blob, title, maxSide) {
  const drawn = await canvasOf(blob, title, maxSide).catch(() => undefined);
  if (!drawn) return undefined;
  const { canvas, width, height } = drawn;
  if (maxSide === undefined && Math.max(width, height) < SMALL_SIDE) canvas.className = 'exact';
  const size = make('span', {}, `${width} × ${height}`);
  return make('figure', {}, canvas, make('figcaption', {}, make('span', {}, title), size));
}
