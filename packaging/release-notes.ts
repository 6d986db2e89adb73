/** The part of CHANGELOG.md that is about one version. */

export type Notes = { readonly text: string; readonly isUnreleased: boolean };

/** Finds the part of the version, or else what is not released yet. Undefined if both are missing or empty. */
export function notesOf(changelog: string, version: string): Notes | undefined {
  const parts = new Map(
    changelog
      .split(/^## /m)
      .slice(1)
      .map((part) => {
        const [title = '', ...lines] = part.split('\n');
        return [title.split(' ')[0]?.replace(/^\[|\]$/g, '') ?? '', lines.join('\n').trim()];
      }),
  );
  const text = parts.get(version);
  if (text) return { text: `${text}\n`, isUnreleased: false };
  const next = parts.get('Unreleased');
  return next ? { text: `${next}\n`, isUnreleased: true } : undefined;
}
