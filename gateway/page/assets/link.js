/** The address of the page says what is asked: a link restores model, versions, scores and the photo's address. */

/** @typedef {{ model?: string, version?: string, compare?: string, url?: string, scores?: string, top?: string }} Link */

/** @returns {Link} */
export const readLink = () => Object.fromEntries(new URLSearchParams(location.search));

/** Empty values are left out. @param {Link} link */
export function writeLink(link) {
  const named = Object.entries(link).filter(([, value]) => value !== '');
  history.replaceState(null, '', `?${new URLSearchParams(named)}`);
}
