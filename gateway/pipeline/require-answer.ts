/** Checks that an answer is the one that was asked for. */
import type { Prediction } from '../domain/backend.ts';
import { GatewayError } from '../errors.ts';

/** Throws an error that is outdated where another version has answered, or without a wanted output. */
export function requireAnswer(
  { version: answered, outputs }: Prediction,
  version: number | undefined,
  wanted: readonly string[],
): void {
  const missing = wanted.find((output) => !outputs.has(output));
  if ((answered === undefined || answered === version) && missing === undefined) return;
  const cause = new Error(`expected ${wanted.join(', ')} of version ${version}, got version ${answered}`);
  const detail = 'The model server answered with another version, or without a wanted output.';
  throw new GatewayError('model_failed', detail, { cause, isOutdated: true });
}
