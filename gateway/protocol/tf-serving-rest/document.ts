/** The document around every request: an object with `signature_name`. */

import { parseExactJson } from '../../tensor/exact-json.ts';
import { TfServingError } from './failure.ts';
import { jsonType, shownJson } from './json-words.ts';
import type { Mistake } from './mistakes.ts';

/** Lists and objects inside of each other. TensorFlow's tensors have fewer axes. */
export const MAX_DEPTH = 64;
/** Below it, numbers are read exactly, whatever the signature is: error texts show them as they came. */
const SHORT_CHARACTERS = 100_000;

export type Document = Readonly<Record<string, unknown>>;

/** What a body is read into: either this, or a mistake. Errors lose their class between threads. */
export type Refused = { readonly refused: Mistake };

/** A body: fast, and exactly. */
export type Parsed = { readonly value: unknown; exactly(): unknown };

/**
 * Parses a body. JSON.parse reads large ones two to five times faster than what reads integers without rounding and tells them
 * from decimals, which only some signatures need.
 */
export function parseDocument(text: string): Parsed {
  if (text.trim() === '') {
    const empty = refused(`JSON Parse error: The document is empty${text === '' ? '' : ' at offset: 0'}`);
    return { value: empty, exactly: () => empty };
  }
  const exactly = () => parseExactJson(text);
  try {
    return { value: text.length < SHORT_CHARACTERS ? exactly() : JSON.parse(text), exactly };
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    const [, position = text.length] = /at position (\d+)/.exec(thrown.message) ?? [];
    const wrong = refused(`JSON Parse error: Invalid value. at offset: ${position}`);
    return { value: wrong, exactly: () => wrong };
  }
}

/** The document, or its mistake. */
export function readDocument(value: unknown): Document | Refused {
  if (isRefused(value)) return value;
  if (jsonType(value) !== 'Object') return refused(`JSON Value: ${shownJson(value)} Is not object`);
  const document = value as Document;
  const { signature_name: name = '' } = document;
  if (typeof name === 'string') return document;
  const what = "not formatted correctly. 'signature_name' key must be a string value.";
  return refused(`JSON Value: ${shownJson(document)} ${what}`);
}

/** The signature that a document names; empty: the default one. */
export function signatureNameOf({ signature_name: name }: Document): string {
  return typeof name === 'string' ? name : '';
}

class RefusedDocument {
  readonly refused: Mistake;

  constructor(refused: Mistake) {
    this.refused = refused;
  }
}

export function refused(text: string, status = 400): Refused {
  return new RefusedDocument({ status, text });
}

/** A body may have a member of this name too. */
export function isRefused(value: unknown): value is Refused {
  return value instanceof RefusedDocument;
}

/** The error of a refused body, on the main thread. */
export function errorOf({ refused: { status, text } }: Refused): TfServingError {
  return new TfServingError(status, text, text.startsWith('JSON Parse error') ? 'invalid_json' : 'invalid_request');
}
