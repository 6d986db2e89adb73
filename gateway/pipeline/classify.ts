/** The straight line: instances in, named scores out. */

import type { Instance } from '../domain/picture.ts';
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import { asGatewayError, type GatewayError } from '../errors.ts';
import type { Scores } from '../scores/scores.ts';
import { ask } from './ask.ts';
import { fillTensor, type Line } from './fill.ts';

export type ClassifyRequest = {
  readonly servable: AskedServable;
  readonly instances: readonly Instance[];
  readonly wants: 'raw' | 'probabilities';
  /** Only the best K classes of each instance. */
  readonly top?: number | undefined;
};

/** What became of one instance: its scores, or why it has none. */
export type Outcome = { readonly scores: Scores } | { readonly error: GatewayError };

export type Classification = {
  readonly version: number;
  /** In the order of the request's instances. */
  readonly outcomes: readonly Outcome[];
  /** What was read, encoded, and what was sent to the model server. */
  readonly imageBytes: number;
  readonly tensorBytes: number;
};

/**
 * Scores every instance of a request with one Predict. An instance that cannot be read is an outcome with an error
 * among the others; when none can be read, the first one's error is the request's.
 */
export async function classify(line: Line, request: ClassifyRequest, context: RequestContext): Promise<Classification> {
  const { instances, wants, top } = request;
  const binding = await line.resolve(request.servable, context.signal);
  const servable = { ...request.servable, model: binding.card.name };
  const target = { servable, signature: binding.card.signature, input: binding.input };
  const call = line.backend.prepare(target, instances.length);

  const { rows, errors, imageBytes } = await fillTensor(line, { binding, instances, call }, context);
  const [first] = instances;
  if (first && rows.size === 0) throw asGatewayError(errors.get(first));

  const { classes, scores: gives } = binding.card;
  const options = { classes, gives, wants, top };
  const question = { target, call, count: rows.size, output: binding.output, options };
  const { version, rows: scored } = await context.time('predict', () =>
    line.insist(context, () => ask(line.backend, question, context)),
  );
  call.release();
  const outcomes = instances.map((instance): Outcome => {
    const row = rows.get(instance);
    const answer = row === undefined ? errors.get(instance) : scored[row];
    return Array.isArray(answer) ? { scores: answer } : { error: asGatewayError(answer) };
  });
  const tensorBytes = (call.tensor.byteLength / instances.length) * rows.size;
  return { version: version ?? binding.version, outcomes, imageBytes, tensorBytes };
}
