/** swagger-ui, with what it lacks for keyboards and screen readers, and in the colours of the system. */
import { apiKey } from './api.js';
import { nameControls } from './viewer-names.js';
import { resolveSubtree } from './viewer-references.js';

/**
 * Parts of swagger-ui in other elements: a link in a button has no meaning for a screen reader, the description is a part of
 * the page with a name, and there is no choice of servers, because there is one.
 */
const betterElements = () => ({
  wrapComponents: {
    DeepLink:
      (/** @type {unknown} */ _original, /** @type {any} */ { React }) =>
      (/** @type {{ text: string }} */ { text }) =>
        React.createElement('span', {}, text),
    InfoContainer:
      (/** @type {unknown} */ Original, /** @type {any} */ { React }) =>
      (/** @type {object} */ props) =>
        React.createElement('section', { 'aria-label': 'About this API' }, React.createElement(Original, props)),
    ServersContainer: () => () => null,
  },
});

/**
 * Shows a document. Returns what fills the API key of this tab into the try-out.
 * @param {object} spec
 * @param {HTMLElement} domNode
 * @returns {() => void}
 */
export function showReference(spec, domNode) {
  followColours();
  nameControls(domNode);
  const { SwaggerUIBundle } = /** @type {any} */ (window);
  const fillKey = () => viewer.preauthorizeApiKey('headerKey', apiKey.get());
  const viewer = SwaggerUIBundle({
    spec,
    domNode,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    requestSnippetsEnabled: true,
    validatorUrl: null,
    plugins: [betterElements, () => ({ fn: { resolveSubtree } })],
    onComplete: () => apiKey.get() !== '' && fillKey(),
  });
  return fillKey;
}

/** swagger-ui is dark below this class. */
function followColours() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', follow);
  follow();
}
