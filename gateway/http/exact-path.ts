/** Paths that a platform chooses, such as `/v1/endpoints/1:predict`. */

/** Matches the path as it is. Express would read `:predict` as a parameter. */
export function exactPath(path: string): RegExp {
  return new RegExp(`^${RegExp.escape(path)}$`);
}
