/** How the fuzzers tell a refusal from a failure. */
import assert from 'node:assert/strict';
import { GatewayError, type Kind } from '../../gateway/errors.ts';

/** What the parser gives, or undefined where it refuses with one of the kinds that it may refuse with. Else it throws. */
export function refusalOf<T>(parse: () => T, kinds: readonly Kind[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    checkRefusal(error, kinds);
    return undefined;
  }
}

/** Throws what is no refusal of one of these kinds. */
export function checkRefusal(error: unknown, kinds: readonly Kind[]): void {
  if (!(error instanceof GatewayError)) throw error;
  assert.ok(kinds.includes(error.kind), `refused as ${error.kind}: ${error.message}`);
}
