/** Where photos come from: chosen, dropped, pasted, an address, or an example. */
import { call } from './api.js';
import { byId, canvasOf, make } from './dom.js';

/** @typedef {import('./predict.js').Instance} Instance */

/** Calls `onPhotos` with what a person gives. @param {(photos: Instance[]) => void} onPhotos */
export function watchPhotos(onPhotos) {
  const files = byId('files', HTMLInputElement);
  const drop = byId('drop', HTMLElement);
  const url = byId('url', HTMLInputElement);

  /** @param {FileList | undefined} list */
  const take = (list) => {
    const photos = [...(list ?? [])].map((file) => ({ title: file.name || 'Pasted photo', blob: file }));
    if (photos.length > 0) onPhotos(photos);
    return photos.length > 0;
  };
  /** Takes the address that was pasted or dropped. @param {string} text */
  const takeAddress = (text) => {
    const address = text.trim();
    if (!/^https?:\/\/\S+$/.test(address)) return;
    url.value = address;
    onPhotos([{ title: address, url: address }]);
  };
  const isShown = () => !byId('photos', HTMLElement).hidden;

  files.addEventListener('change', () => {
    take(files.files ?? undefined);
    files.value = '';
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.toggle('over', isShown());
  });
  for (const name of ['dragleave', 'drop']) document.addEventListener(name, () => drop.classList.remove('over'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    if (!isShown() || take(event.dataTransfer?.files)) return;
    takeAddress(event.dataTransfer?.getData('text/uri-list') ?? '');
  });
  document.addEventListener('paste', (event) => {
    if (!isShown() || take(event.clipboardData?.files)) return;
    // Text that is pasted into a field stays there.
    if (!(event.target instanceof HTMLInputElement)) takeAddress(event.clipboardData?.getData('text/plain') ?? '');
  });
  byId('address', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const address = url.value.trim();
    if (address === '') url.focus();
    else onPhotos([{ title: address, url: address }]);
  });
}

/** Examples that are shown. */
const MAX_EXAMPLES = 3;
/** Their largest side in pixels. */
const EXAMPLE_SIDE = 200;

/**
 * Shows examples to click.
 * @param {string} model
 * @param {string[]} names
 * @param {(photos: Instance[]) => void} onPhotos
 */
export async function showExamples(model, names, onPhotos) {
  const buttons = names.slice(0, MAX_EXAMPLES).map(async (name) => {
    const path = `/models/${encodeURIComponent(model)}/examples/${encodeURIComponent(name)}`;
    const blob = await (await call(path)).blob();
    const button = make(
      'button',
      { type: 'button', 'aria-label': `Example ${name}` },
      (await canvasOf(blob, '', EXAMPLE_SIDE)).canvas,
    );
    button.addEventListener('click', () => onPhotos([{ title: name, blob }]));
    return button;
  });
  const shown = await Promise.all(buttons);
  const hint = make('p', { class: 'hint' }, 'No photo at hand? Take an example:');
  const examples = byId('examples', HTMLElement);
  examples.replaceChildren(...(shown.length > 0 ? [hint, ...shown] : []));
  examples.hidden = shown.length === 0;
}
