/** Distinguishes a refusal, which is expected, from a failure of the parser. */
import assert from 'node:assert/strict';
import { GatewayError, type Kind } from '../../gateway/errors.ts';

/** Returns the parser's result, or undefined if it refuses with one of these kinds. Throws on any other error. */
export function refusalOf<T>(parse: () => T, kinds: readonly Kind[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    checkRefusal(error, kinds);
    return undefined;
  }
}

/** Throws unless the error is a refusal of one of these kinds. */
export function checkRefusal(error: unknown, kinds: readonly Kind[]): void {
  if (!(error instanceof GatewayError)) throw error;
  assert.ok(kinds.includes(error.kind), `refused as ${error.kind}: ${error.message}`);
}
