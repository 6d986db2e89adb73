/** Names that swagger-ui does not give its controls. A screen reader says them. */

/** @type {readonly (readonly [selector: string, attribute: string, name: (element: Element) => string])[]} */
const NAMES = [
  ['tr[data-param-name] :is(select, input:not([type=checkbox], [aria-label]), textarea)', 'aria-label', parameterOf],
  ['.body-param__text', 'aria-label', () => 'Body'],
  ['.opblock-section-request-body :is(select, input:not([type=checkbox]))', 'aria-label', () => 'Body'],
  ['select.examples-select-element', 'aria-label', () => 'Example'],
  ['.responses-table', 'aria-label', routeOf],
  // The page has a title of its own above.
  ['.info :is(h1, h2).title', 'aria-level', () => '2'],
];

/** @param {Element} element */
function parameterOf(element) {
  return element.closest('tr')?.dataset.paramName ?? '';
}

/** @param {Element} element */
function routeOf(element) {
  const path = element.closest('.opblock')?.querySelector('.opblock-summary-path')?.getAttribute('data-path') ?? '';
  return element.classList.contains('live-responses-table') ? `Answer of ${path}` : `Answers that ${path} gives`;
}

/** Names what is there, and what swagger-ui adds later. @param {HTMLElement} viewer */
export function nameControls(viewer) {
  const nameAll = () => {
    for (const [selector, attribute, name] of NAMES) {
      for (const element of viewer.querySelectorAll(`${selector}:not([${attribute}])`)) {
        element.setAttribute(attribute, name(element));
      }
    }
  };
  new MutationObserver(nameAll).observe(viewer, { childList: true, subtree: true });
  nameAll();
}
