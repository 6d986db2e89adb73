/** Has another version predict the copy of a request. */
import { isDeepStrictEqual } from 'node:util';
import type { Backend, TensorsTarget } from '../domain/backend.ts';
import type { RequestContext } from '../domain/request.ts';
import type { Tensor } from '../domain/tensor.ts';
import { expectedTensors } from '../model/expected-answer.ts';
import { signatureOf } from '../model/find-signature.ts';
import { meaningOf } from '../model/meaning.ts';
import type { Routed } from '../model/route.ts';
import { requireAnswer } from '../pipeline/require-answer.ts';
import { answeringOutput } from '../scores/row-answers.ts';
import { joinRows, rowsOf, splitRows } from '../tensor/row-slices.ts';
import type { CopiedRequest, RequestCopy } from './request-copy.ts';

/** The version that gets a copy, and its servers. `routed.servers` is not looked at where it is empty. */
export type CopyTarget = { readonly routed: Routed; readonly backend: Backend };

/** The request as the other version takes it. Undefined where it takes other tensors. */
export function requestFor(copy: RequestCopy, other: Routed): CopiedRequest | undefined {
  const { served, signature, request } = copy;
  if (served.metadata === other.metadata) return request;
  if (request.kind === 'tensors' && request.picture !== undefined) {
    const [one, another] = [served.binding, other.binding];
    if (!one || another?.signature !== signature) return undefined;
    const [{ name: _, ...input }, { name, ...otherInput }] = [one.input, another.input];
    if (!isDeepStrictEqual(input, otherInput)) return undefined;
    return { ...request, inputs: new Map([...request.inputs.values()].map((tensor) => [name, tensor])), picture: name };
  }
  const [one, another] = [served, other].map(({ metadata }) => metadata.signatures.get(signature));
  if (!one || !another || !isDeepStrictEqual(one.inputs, another.inputs)) return undefined;
  // A message may name outputs.
  return request.kind === 'tensors' || isDeepStrictEqual(one.outputs, another.outputs) ? request : undefined;
}

/**
 * Sends the request. Resolves to the output with the scores or the decision; undefined where there is none. Rejects with the
 * GatewayErrors of the backend, and with `model_failed` where the output is missing.
 */
export async function predictCopy(
  copy: RequestCopy,
  request: CopiedRequest,
  { routed, backend }: CopyTarget,
  context: RequestContext,
): Promise<Tensor | undefined> {
  const { card, version, metadata, servers, binding } = routed;
  const { signature, rows } = copy;
  const output = answeringOutput(meaningOf(routed, signature));
  const answer = expectedTensors(signatureOf(metadata, signature), output === undefined ? [] : [output]);
  const only = servers.size > 0 ? { only: servers } : {};
  const target: TensorsTarget = { servable: { model: card.name, version }, ...only, signature, answer };
  if (request.kind === 'message') {
    const answered = await backend.relay({ ...target, method: request.method }, request.rest, rows, context);
    return output === undefined ? undefined : (await answered.outputs()).get(output);
  }
  const predict = async (inputs: ReadonlyMap<string, Tensor>, count: number) => {
    const prediction = await backend.predict(target, inputs, count, context);
    requireAnswer(prediction, version, answer.outputs);
    return output === undefined ? undefined : prediction.outputs.get(output);
  };
  const isSingle = request.picture !== undefined && binding?.input.isSingle === true;
  return isSingle ? rowByRow(request.inputs, rows, predict) : predict(request.inputs, rows);
}

/** For a version that takes one picture at a time. */
async function rowByRow(
  inputs: ReadonlyMap<string, Tensor>,
  rows: number,
  predict: (inputs: ReadonlyMap<string, Tensor>, count: number) => Promise<Tensor | undefined>,
): Promise<Tensor | undefined> {
  const answers: Tensor[] = [];
  for (let row = 0; row < rows; row += 1) {
    const own = new Map(Array.from(inputs, ([name, tensor]) => [name, rowsOf(tensor, row, 1)]));
    const answer = await predict(own, 1);
    answers.push(...((answer && splitRows(answer, 1)) ?? []));
  }
  return joinRows(answers);
}
