/** Predicts what a request of the Open Inference Protocol has: tensors, or pictures. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { Tensor } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { tooManyInstances } from '../http/body-limits.ts';
import { type Routed, wantedOutputs } from '../pipeline/signature.ts';
import { joinRows } from '../tensor/row-slices.ts';
import { bestClasses } from './best-classes.ts';
import { explanationOutput } from './explanation-output.ts';
import type { InferBody } from './inputs.ts';
import type { OpenInferenceOptions } from './options.ts';
import { outlierOutputs } from './outlier-outputs.ts';

export type NamedOutput = readonly [name: string, tensor: Tensor];
export type Predicted = { readonly version: number; readonly outputs: readonly NamedOutput[] };

/** `id`: that of the request, which is that of its only row. */
type Known = { readonly servable: AskedServable; readonly routed: Routed; readonly id?: string | undefined };
type Line = Pick<OpenInferenceOptions, 'infer' | 'predictPictures' | 'maxInstances'>;

/** Throws the errors of the pipeline, and `invalid_request` for an output that the signature lacks. */
export async function predict(body: InferBody, known: Known, line: Line, context: RequestContext): Promise<Predicted> {
  const predicted =
    body.kind === 'pictures'
      ? await predictPictures(body, known, line, context)
      : await predictTensors(body, known, line, context);
  if (body.classes.size === 0) return predicted;
  const { classes: labels = [] } = known.routed.card;
  const outputs: NamedOutput[] = [];
  for (const [name, tensor] of predicted.outputs) {
    const count = body.classes.get(name);
    outputs.push([name, count === undefined ? tensor : await bestClasses(tensor, { name, count, labels })]);
  }
  return { ...predicted, outputs };
}

async function predictTensors(
  { signature, inputs, rows, outputs: wanted, outlier, explain }: Extract<InferBody, { kind: 'tensors' }>,
  known: Known,
  { infer }: Line,
  context: RequestContext,
): Promise<Predicted> {
  const { version, outputs, outliers, explanations } = await infer(
    { ...known, signature, inputs, rows, outputs: wanted, ids: idsOf(known, rows), outlier, explain },
    context,
  );
  return { version, outputs: [...outputs, ...outlierOutputs(outliers), ...explanationOutput(explanations, explain)] };
}

function idsOf({ id }: Known, rows: number): readonly string[] | undefined {
  return id && rows === 1 ? [JSON.stringify(id)] : undefined;
}

/** Encoded pictures become rows of the model's input. The first that cannot be read fails the request. */
async function predictPictures(
  { signature, instances, outputs, outlier, explain }: Extract<InferBody, { kind: 'pictures' }>,
  known: Known,
  { predictPictures: send, maxInstances }: Line,
  context: RequestContext,
): Promise<Predicted> {
  if (instances.length > maxInstances) throw tooManyInstances(maxInstances);
  const wanted = wantedOutputs(known.routed, signature, outputs);
  const { routed, outcomes, explanations } = await send(
    { ...known, instances, outputs: 'all', ids: idsOf(known, instances.length), outlier, explain },
    context,
  );
  const rows = outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome;
  });
  const joined = wanted.map((name): NamedOutput => {
    const tensor = joinRows(rows.flatMap(({ outputs: row }) => row.get(name) ?? []));
    if (tensor) return [name, tensor];
    throw new GatewayError('model_failed', `${name}: the model's answers for the pictures differ in their form.`);
  });
  const outliers = rows.flatMap((row) => row.outlier ?? []);
  return {
    version: routed.version,
    outputs: [...joined, ...outlierOutputs(outliers), ...explanationOutput(explanations, explain)],
  };
}
