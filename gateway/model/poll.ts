/** One poll of a model: the version that is served, whether it matches model.yaml, and its parity. */
import type { Backend } from '../domain/backend.ts';
import type { Log } from '../domain/request.ts';
import type { Metadata } from '../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import type { ModelCard } from './card.ts';
import { type Parity, PROOF_TIMEOUT_MS } from './parity.ts';
import { type Binding, bind, findSignature, SignatureMismatch } from './signatures.ts';
import type { ModelState } from './state.ts';
import type { Unreachable } from './unreachable.ts';

/** For the look-ups of a poll. A server that is busy with predictions may take seconds for them. */
const LOOK_UP_TIMEOUT_MS = 30_000;

const WITHOUT_PICTURES: Parity = {
  state: 'unproven',
  detail: 'the model takes tensors: there are no pictures to replay',
};

export type PollParts = {
  readonly backend: Pick<Backend, 'metadata' | 'status'>;
  readonly prove: (binding: Binding, signal: AbortSignal) => Promise<Parity>;
  /** Why the server has no version of the model, if the gateway can see it, such as a missing file. */
  readonly explain: (card: ModelCard) => Promise<string | undefined>;
  readonly unreachable: Unreachable;
  readonly log: Log;
};

/**
 * The result of a poll.
 * `same`: the version that is already known. `verdict`: whether a version is ready; `binding` if it can be used.
 * `busy`: the server had no time to answer, which says nothing about the model. `lost`: the server or the model is
 * gone, or the version fails.
 */
export type Poll =
  | { readonly kind: 'same' }
  | { readonly kind: 'verdict'; readonly state: ModelState; readonly binding?: Binding }
  | { readonly kind: 'busy' | 'lost'; readonly state: ModelState };

export type PollOptions = {
  readonly card: ModelCard;
  /** The version that needs no further proof. */
  readonly knownVersion: number | undefined;
  readonly signal: AbortSignal;
  /** Called when the pictures of a version start to be replayed. */
  readonly onProof: (version: number) => void;
};

/** Polls a model once. Never rejects. */
export async function pollModel(parts: PollParts, options: PollOptions): Promise<Poll> {
  const { card, knownVersion, signal, onProof } = options;
  const lookUpSignal = AbortSignal.any([signal, AbortSignal.timeout(LOOK_UP_TIMEOUT_MS)]);
  let metadata: Metadata | undefined;
  try {
    metadata = await parts.backend.metadata({ model: card.name }, lookUpSignal);
    parts.unreachable.end();
    if (metadata.version === knownVersion) return { kind: 'same' };
    return await judge(parts, card, metadata, { signal, onProof });
  } catch (thrown) {
    if (thrown instanceof SignatureMismatch) return { kind: 'verdict', state: { problem: thrown.message } };
    return failed(parts, card, asGatewayError(thrown), { version: metadata?.version, signal });
  }
}

async function judge(
  { prove }: PollParts,
  card: ModelCard,
  metadata: Metadata,
  { signal, onProof }: Pick<PollOptions, 'signal' | 'onProof'>,
): Promise<Poll> {
  const { version } = metadata;
  if (!card.image) {
    findSignature(card, metadata);
    return { kind: 'verdict', state: { version, parity: WITHOUT_PICTURES } };
  }
  const binding = bind(card, metadata);
  onProof(version);
  const proofSignal = AbortSignal.any([signal, AbortSignal.timeout(PROOF_TIMEOUT_MS)]);
  try {
    const parity = await prove(binding, proofSignal);
    if (parity.state !== 'differing') return { kind: 'verdict', state: { version, parity }, binding };
    return { kind: 'verdict', state: { version, parity, problem: `parity is differing: ${parity.detail}` } };
  } catch (thrown) {
    if (!proofSignal.aborted) throw thrown;
    const problem = `the pictures of version ${version} were not answered within ${PROOF_TIMEOUT_MS / 1000} s`;
    return { kind: 'busy', state: { problem } };
  }
}

/** The result after a failure. The problem's text is public, so it has no addresses and no texts of libraries. */
async function failed(
  parts: PollParts,
  card: ModelCard,
  { kind, message, cause }: GatewayError,
  { version, signal }: { readonly version: number | undefined; readonly signal: AbortSignal },
): Promise<Poll> {
  if (kind === 'overloaded' || kind === 'model_timeout') {
    const what = version === undefined ? 'look up the model' : `replay the pictures of version ${version}`;
    return { kind: 'busy', state: { problem: `the model server is too busy to ${what}` } };
  }
  if (kind === 'model_unavailable') {
    return { kind: 'lost', state: { problem: message, detail: await parts.unreachable.reason(), isPending: true } };
  }
  if (kind === 'model_not_found') return { kind: 'lost', state: await missing(parts, card, message, signal) };
  if (kind === 'internal') parts.log.error({ cause, model: card.name }, 'a poll of the model failed');
  return { kind: 'lost', state: { problem: message } };
}

/** The state of a model without an available version. The server's own texts may contain paths: they are the detail. */
async function missing(
  { backend, explain }: PollParts,
  card: ModelCard,
  message: string,
  signal: AbortSignal,
): Promise<ModelState> {
  const lookUpSignal = AbortSignal.any([signal, AbortSignal.timeout(LOOK_UP_TIMEOUT_MS)]);
  const versions = await backend.status(card.name, lookUpSignal).catch(() => []);
  const states = versions.map(({ version, state, error }) => `version ${version} is ${state}${error && ' and failed'}`);
  const errors = versions.flatMap(({ version, error }) => (error ? `version ${version}: ${error}` : []));
  const problem = (await explain(card)) ?? (states.join('; ') || message);
  return { problem, ...(errors.length > 0 && { detail: errors.join('; ') }) };
}
