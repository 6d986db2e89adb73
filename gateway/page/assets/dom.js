/** Small helpers for elements. Texts are always set as text, never as HTML. */

/**
 * The element with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`no ${type.name} has the id ${id}`);
}

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A bar of parts, each from 0 to 1 of its width.
 * @param {{ share: number, name?: string }[]} parts
 */
export function bar(parts) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 100 1');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  let from = 0;
  for (const { share, name = '' } of parts) {
    const width = Math.max(0, Math.min(1, share)) * 100;
    const rect = document.createElementNS(SVG, 'rect');
    for (const [key, value] of Object.entries({ x: from, y: 0, width, height: 1 })) rect.setAttribute(key, `${value}`);
    if (name !== '') rect.setAttribute('class', name);
    svg.append(rect);
    from += width;
  }
  return svg;
}

/**
 * A group of buttons with `data-NAME`, of which one is pressed.
 * @param {string} name
 */
export function group(name) {
  const buttons = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll(`[data-${name}]`)]);
  const isPressed = (/** @type {Element} */ button) => button.getAttribute('aria-pressed') === 'true';
  /** Presses a button, if there is one of this value. @param {string} value */
  const choose = (value) => {
    if (!buttons.some((button) => button.dataset[name] === value)) return;
    for (const button of buttons) button.setAttribute('aria-pressed', `${button.dataset[name] === value}`);
  };
  return {
    value: () => buttons.find(isPressed)?.dataset[name] ?? '',
    choose,
    /** @param {() => void} onChange */
    watch(onChange) {
      for (const button of buttons) {
        button.addEventListener('click', () => {
          if (isPressed(button)) return;
          choose(button.dataset[name] ?? '');
          onChange();
        });
      }
    },
  };
}

/**
 * Draws a picture on a canvas.
 * @param {Blob} blob
 * @param {string} label what it shows, for screen readers; empty where other words say it
 * @param {number} [maxSide] a larger picture is drawn smaller
 * @returns {Promise<{ canvas: HTMLCanvasElement, width: number, height: number }>} with the picture's own size
 */
export async function canvasOf(blob, label, maxSide = Number.POSITIVE_INFINITY) {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const scale = Math.min(1, maxSide / Math.max(width, height));
  const canvas = make('canvas', label === '' ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label });
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { canvas, width, height };
}
