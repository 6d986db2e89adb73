/** Asks one version for one instance. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../config/read.ts';
import { causeOf, predictAddress } from '../gateway/address.ts';
import { type Answered, answeredOf, type Failed } from './answer.ts';
import type { Instance } from './instance.ts';

/** The gateway's own deadline is shorter. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Without room in the gateway for so long the replay ends. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 500;

/** The gateway has no room now, or the version is still checked: neither says anything of the version. */
const LATER: ReadonlySet<string> = new Set(['overloaded', 'quota', 'draining']);
/** No request of the replay would be answered. */
const HOPELESS: ReadonlySet<string> = new Set([
  'unauthenticated',
  'not_found',
  'method_not_allowed',
  'model_not_found',
]);

export type Asked = {
  /** The address of the gateway. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly classes: readonly string[];
  /** Whether the model gives probabilities of its classes. */
  readonly hasProbabilities: boolean;
};

/** Asks until the gateway has room. Throws ConfigError where it does not answer, or would answer no request. */
export async function ask(version: number, instance: Instance, asked: Asked): Promise<Answered | Failed> {
  const { base, headers, model, classes, hasProbabilities } = asked;
  const url = predictAddress(base, '--gateway', { model, modelVersion: String(version) });
  if (hasProbabilities) url.searchParams.set('scores', 'probabilities');
  const { type, body } = await contentOf(instance);
  const giveUpMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': type },
      body,
      signal,
    }).catch((cause: unknown) => {
      throw new ConfigError(`${url.origin}: does not answer (${causeOf(cause)})`, { cause });
    });
    const value: unknown = await response.json().catch(() => undefined);
    if (response.ok) {
      const prediction = 'json' in instance ? firstOf(value) : value;
      return answeredOf(prediction, classes, response.headers.get('server-timing'));
    }
    const failed = failureOf(response.status, value);
    const isLater = LATER.has(failed.kind) || (failed.kind === 'version_not_proven' && response.status === 503);
    if (!isLater && !isHopeless(failed)) return failed;
    if (!isLater || performance.now() > giveUpMs) throw new ConfigError(`version ${version}: ${failed.detail}`);
    await sleep(PAUSE_MS);
  }
}

const isHopeless = ({ kind }: Failed) => HOPELESS.has(kind) || kind === 'version_not_proven';

async function contentOf(
  instance: Instance,
): Promise<{ readonly type: string; readonly body: string | Uint8Array<ArrayBuffer> }> {
  if ('picture' in instance) return { type: 'image/*', body: await instance.picture() };
  return { type: 'application/json', body: `{"instances":[${instance.json}]}` };
}

function firstOf(value: unknown): unknown {
  const { predictions } = (value ?? {}) as { readonly predictions?: unknown };
  return Array.isArray(predictions) ? predictions[0] : undefined;
}

/** The members of a problem document (docs/errors.md). */
function failureOf(status: number, value: unknown): Failed {
  const { kind, detail } = (value ?? {}) as Partial<Failed>;
  return { kind: kind ?? `http_${status}`, detail: detail ?? `the answer has the status ${status}` };
}
