/** JSON of answers without loss: an integer beyond 2^53 keeps its digits. */

/** The members of JSON that TypeScript's library does not have yet (ECMAScript: JSON.parse source text access). */
type ExactJson = {
  parse(text: string, revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** Parses JSON. JSON.stringify writes the result with the same numbers. */
export function parseExact(text: string): unknown {
  const json = JSON as unknown as ExactJson;
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
      ? json.rawJSON(source)
      : value,
  );
}
