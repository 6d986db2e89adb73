/** What of an input must not be in the log, by `redact` of model.yaml. */
import type { ModelCard } from '../../model/card.ts';

export type Redaction = {
  /** Whether the field is left out. */
  readonly hides: (field: string) => boolean;
};

/** The redaction of a model. Inputs, `id` and the `record.id` of tables; `url` and `id` of pictures. */
export function redactionOf({ redact = [], record }: Pick<ModelCard, 'redact' | 'record'>): Redaction {
  const hidden = new Set(redact);
  // The id of a record has two names.
  if (record && (hidden.has('id') || hidden.has(record.id))) for (const name of ['id', record.id]) hidden.add(name);
  return { hides: (field) => hidden.has(field) };
}

/** A URL without user, password, query and fragment: they may have secrets, such as the signature of a signed URL. */
export function publicUrl(text: string): string | null {
  const url = URL.parse(text.trim());
  return url && `${url.protocol}//${url.host}${url.pathname}`;
}
