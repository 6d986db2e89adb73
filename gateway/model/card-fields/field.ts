/** A field of model.yaml in words. */
export type Field = {
  /** The value, as in "resize takes …". */
  readonly takes: string;
  /** A right value as YAML. It is the default, where there is one. */
  readonly example: string;
  /** What the field means. */
  readonly meaning: string;
  /** Words that are right values, for suggestions. */
  readonly words?: readonly string[];
  /** Names that other tools have for some of the words. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** The values are text, also where YAML reads a number, a boolean or null. */
  readonly isText?: true;
  /** A new file has the field as a comment. */
  readonly isRare?: true;
  /** The models that have the field. Unset: all. A field of a part is that of its part. */
  readonly of?: 'images' | 'tables';
};

export type Fields = Readonly<Record<string, Field>>;

/** "a, b or c" */
export function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
