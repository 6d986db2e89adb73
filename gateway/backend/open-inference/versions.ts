/**
 * Versions are texts in the protocol and numbers in the gateway. A server may list none, or names such as "v2". Such a model
 * has version 1 here, and calls to it name no version: the server chooses.
 */
import type { Servable } from '../../domain/servable.ts';

/** The version of a model whose server lists no number. */
const ONLY_VERSION = 1;

/** Remembers which models have no version numbers. */
export class Versions {
  readonly #unnumbered = new Set<string>();

  /** The numbers of the versions that a server lists, the newest first. */
  read(model: string, listed: readonly string[]): readonly number[] {
    const numbers = new Set(listed.flatMap((text) => numberOf(text) ?? []));
    if (numbers.size > 0) this.#unnumbered.delete(model);
    else this.#unnumbered.add(model);
    return numbers.size > 0 ? [...numbers].sort((one, other) => other - one) : [ONLY_VERSION];
  }

  /** The version in a request. Empty: the server chooses. */
  text({ model, version }: Servable): string {
    const isChosen = version === undefined || (version === ONLY_VERSION && this.#unnumbered.has(model));
    return isChosen ? '' : String(version);
  }

  /** The version in an answer. Undefined where the server does not name it by number. */
  answered({ model }: Servable, text: string): number | undefined {
    return this.#unnumbered.has(model) ? undefined : numberOf(text);
  }
}

/** A version by its text. Undefined for names such as "v2". */
export function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
