/** Opens the explanations of a request: checks what it asks for, and takes a place in the share. */
import type { Explanation, MethodName } from '../../domain/explanation.ts';
import type { RequestContext } from '../../domain/request.ts';
import type { Signature } from '../../domain/tensor.ts';
import { GatewayError } from '../../errors.ts';
import { createMeter, type Meter } from '../../explain/budget.ts';
import type { ExplainMethod, Subject } from '../../explain/method.ts';
import { METHODS } from '../../explain/methods.ts';
import { type ExplainOptions, requireOptions } from '../../explain/options.ts';
import type { Stages } from '../stages.ts';

/** The part of the time left that explanations may take: the rest is for the answer. */
const TIME_SHARE = 0.9;

/** What one explanation is made of. */
export type Opened = Disposable & {
  /** Explains one instance. `make`: its subject, whose calls the meter counts. */
  explain(make: (meter: Meter) => Subject | Promise<Subject>): Promise<Omit<Explanation, 'picture'>>;
};

export type Asked = {
  readonly options: ExplainOptions;
  readonly kind: Subject['kind'];
  readonly instances: number;
  readonly signatures: ReadonlyMap<string, Signature>;
};

/**
 * Throws `invalid_request` for options that do not fit, `explanation_unavailable` for a method that the version cannot be explained by, and
 * `overloaded` where no place is free.
 */
export function openExplanations(
  stages: Pick<Stages, 'explainShare' | 'onExplained'>,
  asked: Asked,
  { deadlineMs }: Pick<RequestContext, 'deadlineMs'>,
): Opened {
  const { options, instances } = asked;
  const method = methodOf(asked);
  requireOptions(options, method.options);
  requireBaseline(method, asked);
  if (options.format === 'png' && (asked.kind !== 'picture' || instances !== 1)) {
    throw new GatewayError('invalid_request', `${options.place}explain.format: png is for one picture; leave it out`);
  }
  const calls = callsOfInstance(stages.explainShare.maxCalls, asked);
  const place = stages.explainShare.enter();
  const startedMs = performance.now();
  const leftMs = Math.min((deadlineMs - startedMs) * TIME_SHARE, (options.seconds ?? Number.POSITIVE_INFINITY) * 1000);
  let explained = 0;
  return {
    async explain(make) {
      const nowMs = performance.now();
      // What is left, in equal parts.
      const meter = createMeter(calls, nowMs + Math.max(0, startedMs + leftMs - nowMs) / (instances - explained));
      explained += 1;
      const subject = await make(meter);
      const attributed = await method.explain(subject, options, meter);
      stages.onExplained?.({ method: options.method, calls: meter.used, ms: performance.now() - nowMs });
      return { method: options.method, target: subject.target.name, ...attributed, calls: meter.used };
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

/** The method, if the version can be explained by it. */
function methodOf({ options, kind, signatures }: Asked): ExplainMethod {
  const method = METHODS[options.method];
  const problem = problemOf(method, kind, signatures);
  if (problem === undefined) return method;
  const others = Object.entries(METHODS).filter(([, one]) => problemOf(one, kind, signatures) === undefined);
  const known = others.map(([name]) => name as MethodName).join(', ');
  const detail = `${options.place}explain: ${options.method} ${problem}; this version has ${known}`;
  throw new GatewayError('explanation_unavailable', detail);
}

function problemOf(method: ExplainMethod, kind: Subject['kind'], signatures: Asked['signatures']): string | undefined {
  if (!method.takes.includes(kind)) return `explains no ${kind}s`;
  return method.unavailable(signatures);
}

function requireBaseline({ baselines }: ExplainMethod, { options, kind }: Asked): void {
  const { baseline, place, method } = options;
  if (baseline === undefined || (kind === 'picture' && baselines.includes(baseline))) return;
  const why = kind === 'record' ? 'is for pictures; leave it out' : `${method} takes ${baselines.join(', ')}`;
  throw new GatewayError('invalid_request', `${place}explain.baseline: ${why}`);
}

/** The budget of one instance. */
function callsOfInstance(maxCalls: number, { options: { budget, place }, instances }: Asked): number {
  const most = Math.floor(maxCalls / instances);
  if (budget === undefined || budget <= most) return budget ?? most;
  const of = instances === 1 ? '' : ` for each of ${instances} instances`;
  const detail = `${place}explain.budget: at most ${most}${of} (EXPLAIN_MAX_CALLS is ${maxCalls})`;
  throw new GatewayError('invalid_request', detail);
}
