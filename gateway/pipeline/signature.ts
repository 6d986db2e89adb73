/** What protocols need of a version to read a request: its signatures, and the names of their outputs. */
import { expectedTensors } from '../model/expected-answer.ts';
import { signatureOf } from '../model/find-signature.ts';
import type { Routed } from '../model/route.ts';

export { DEFAULT_SIGNATURE } from '../domain/servable.ts';
export { signatureOf, usualSignature } from '../model/find-signature.ts';
export type { Routed };

/** The outputs that a request wants: those it names, or all. Throws `invalid_request` for a name that the signature lacks. */
export function wantedOutputs(
  { metadata }: Routed,
  signature: string,
  names: readonly string[] | undefined,
): readonly string[] {
  return expectedTensors(signatureOf(metadata, signature), names).outputs;
}
