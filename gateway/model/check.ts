/** Checks whether a version may answer: it has to fit its model.yaml, and its parity must not differ. */
import type { Log } from '../domain/request.ts';
import { asGatewayError, type Kind } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { PIXEL_SIGNATURE } from './find-signature.ts';
import { type Parity, PROOF_TIMEOUT_MS } from './parity.ts';
import type { Served, Verdict } from './served.ts';
import { type Binding, bind, bindPixels, SignatureMismatch } from './signatures.ts';
import { tableOf } from './table.ts';

/** Failures that a server has with one signature and not with another. */
const OF_SIGNATURE: ReadonlySet<Kind> = new Set(['model_failed', 'invalid_tensor', 'invalid_request']);

const WITHOUT_PICTURES: Parity = {
  state: 'unproven',
  detail: 'the model takes tensors: there are no pictures to replay',
};

export type CheckParts = {
  /** Replays the pictures of a version on one server. */
  readonly prove: (binding: Binding, server: string, signal: AbortSignal) => Promise<Parity>;
  readonly log: Log;
};

/** Never rejects: a check that fails leaves the version open. */
export async function checkVersion(
  parts: CheckParts,
  card: ModelCard,
  served: Served,
  signal: AbortSignal,
): Promise<Verdict> {
  const metadata = { ...served.metadata, version: served.version };
  try {
    if (card.image) {
      const proven = await provePixels(parts, card, { ...served, metadata }, signal);
      return proven ?? (await proveVersion(parts, bind(card, metadata), served, signal));
    }
    if (!card.isDiscovered) tableOf(card, metadata);
    return { kind: 'usable', parity: WITHOUT_PICTURES };
  } catch (thrown) {
    if (thrown instanceof SignatureMismatch) return { kind: 'refused', problem: thrown.message };
    const { kind, message, cause, isUnavailable } = asGatewayError(thrown);
    if (kind === 'internal') parts.log.error({ cause, model: card.name }, 'a check of the model failed');
    // Unavailable is the gateway itself: it cannot decode.
    const isBusy = (kind === 'overloaded' && !isUnavailable) || kind === 'model_timeout';
    const busy = `the model server is too busy to replay the pictures of version ${served.version}`;
    return { kind: 'open', problem: isBusy ? busy : message };
  }
}

/**
 * Proves that a version takes pictures as pixels. Undefined where model.yaml does not ask for it or it is not proven; pictures are
 * sent as floats then. Throws what may be gone when the check is repeated.
 */
async function provePixels(
  parts: CheckParts,
  card: ModelCard,
  served: Served,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const { server, version, metadata } = served;
  const fallBack = (detail: string) => {
    const text = `pictures are not sent as pixels: ${PIXEL_SIGNATURE} is not proven`;
    parts.log.info({ model: card.name, version, server, detail }, text);
    return undefined;
  };
  try {
    const binding = bindPixels(card, metadata);
    if (!binding) return undefined;
    const verdict = await proveVersion(parts, binding, served, signal);
    if (verdict.kind === 'open') return fallBack(verdict.problem ?? '');
    return verdict.parity?.state === 'proven' ? verdict : fallBack(verdict.parity?.detail ?? '');
  } catch (thrown) {
    if (thrown instanceof SignatureMismatch) return fallBack(thrown.message);
    const { kind, message } = asGatewayError(thrown);
    if (signal.aborted || !OF_SIGNATURE.has(kind)) throw thrown;
    return fallBack(message);
  }
}

async function proveVersion(
  { prove }: CheckParts,
  binding: Binding,
  { server, version }: Served,
  signal: AbortSignal,
): Promise<Verdict> {
  const timeout = AbortSignal.timeout(PROOF_TIMEOUT_MS);
  try {
    const parity = await prove(binding, server, AbortSignal.any([signal, timeout]));
    if (parity.state !== 'differing') return { kind: 'usable', parity, binding };
    return { kind: 'refused', parity, problem: `parity is differing: ${parity.detail}` };
  } catch (thrown) {
    if (!timeout.aborted) throw thrown;
    const problem = `the pictures of version ${version} were not answered within ${PROOF_TIMEOUT_MS / 1000} s`;
    return { kind: 'open', problem };
  }
}
