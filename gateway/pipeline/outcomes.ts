/** What becomes of each instance of a request in a stage: a value, or its error. */
import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import { abortError, asGatewayError, GatewayError } from '../errors.ts';

export type Outcomes<T> = {
  readonly values: ReadonlyMap<Instance, T>;
  readonly errors: ReadonlyMap<Instance, GatewayError>;
};

/**
 * Runs `work` on each instance, `atOnce` of them at a time. An instance that fails leaves the others alone. Throws only when
 * the request itself is over (deadline, client gone), and not before all work has ended.
 */
export async function forEachInstance<T>(
  instances: Iterable<Instance>,
  atOnce: number,
  context: RequestContext,
  work: (instance: Instance) => Promise<T>,
): Promise<Outcomes<T>> {
  const values = new Map<Instance, T>();
  const errors = new Map<Instance, GatewayError>();
  const { signal } = context;
  const all = [...instances];
  const queue = all.values();

  async function worker(): Promise<void> {
    for (let next = queue.next(); !next.done && !signal.aborted; next = queue.next()) {
      const instance = next.value;
      try {
        values.set(instance, await work(instance));
      } catch (thrown) {
        errors.set(instance, errorOf(thrown, instance, context));
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
  if (signal.aborted) throw errors.values().next().value ?? abortError(signal);
  return { values, errors };
}

function errorOf(thrown: unknown, { field }: Instance, { signal, log }: RequestContext): GatewayError {
  if (signal.aborted && !(thrown instanceof GatewayError)) return abortError(signal);
  const error = asGatewayError(thrown);
  if (error.kind === 'internal') log.error({ field, cause: error.cause }, 'an image failed');
  return error;
}
