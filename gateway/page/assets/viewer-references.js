/**
 * References of the document for swagger-ui. Its own resolver parses the whole document for each route, which takes most of the
 * page's start: it also reads other documents and other versions of OpenAPI. This document refers only to its own components.
 */

/** @typedef {Readonly<Record<string, unknown>>} Dictionary */

/**
 * The part of a document at a path, with its references resolved: swagger-ui's `fn.resolveSubtree`.
 * @param {Dictionary} document
 * @param {readonly string[]} path
 */
export async function resolveSubtree(document, path) {
  return { spec: resolve(at(document, path), document, []), errors: [] };
}

/** @param {unknown} value @param {readonly string[]} path @returns {unknown} */
function at(value, path) {
  return path.reduce((inner, key) => (isDictionary(inner) ? inner[key] : undefined), value);
}

/** @param {unknown} value @returns {value is Dictionary} */
const isDictionary = (value) => typeof value === 'object' && value !== null;

/**
 * A component that has itself as a part keeps the reference there. `$$ref` tells swagger-ui the name of a component.
 * @param {unknown} value
 * @param {Dictionary} document
 * @param {readonly string[]} within the references that led here
 * @returns {unknown}
 */
function resolve(value, document, within) {
  if (Array.isArray(value)) return value.map((item) => resolve(item, document, within));
  if (!isDictionary(value)) return value;
  const { $ref } = value;
  if (typeof $ref !== 'string' || !$ref.startsWith('#/')) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, document, within)]));
  }
  if (within.includes($ref)) return value;
  const component = resolve(at(document, $ref.slice(2).split('/')), document, [...within, $ref]);
  return isDictionary(component) ? { ...component, $$ref: $ref } : component;
}
