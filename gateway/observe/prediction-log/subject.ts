/** What model.yaml says of the predictions of a signature: the same for all their lines. */

import type { Meaning } from '../../domain/meaning.ts';
import type { Metadata } from '../../domain/servable.ts';
import type { ModelCard } from '../../model/card.ts';
import { meaningOf } from '../../model/meaning.ts';
import type { Routed } from '../../model/route.ts';
import { type Redaction, redactionOf } from './redact.ts';

export type Subject = { readonly card: ModelCard; readonly redaction: Redaction; readonly meaning: Meaning };

export type SubjectOf = (routed: Routed, signature: string) => Subject;

/** Keeps the last subject of each version, as long as the version is known: most versions are asked by one signature. */
export function createSubjects(): SubjectOf {
  const last = new WeakMap<Metadata, Subject & { readonly signature: string }>();
  return (routed, signature) => {
    const { card, metadata } = routed;
    const known = last.get(metadata);
    if (known?.card === card && known.signature === signature) return known;
    const subject = { card, signature, redaction: redactionOf(card), meaning: meaningOf(routed, signature) };
    last.set(metadata, subject);
    return subject;
  };
}
