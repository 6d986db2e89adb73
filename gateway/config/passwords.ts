/** Keeps passwords out of what is printed. */

/**
 * Hides everything in front of the last `@` of each word but its scheme, for texts that are not meant to have a
 * password.
 */
export function hidePassword(text: string): string {
  return text.replace(/([a-z][a-z\d+.-]*:\/\/)?[^\s,"]*@/gi, (_all, scheme: string = '') => `${scheme}***@`);
}

/** A valid URL without its user, password, query and fragment: ioredis takes a password from the query too. */
export function withoutSecrets(text: string): string {
  const { protocol, username, password, host, pathname } = new URL(text);
  return `${protocol}//${username || password ? '***@' : ''}${host}${pathname}`;
}
