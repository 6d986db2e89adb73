/** Explains the rows of tensors, after they were predicted. */
import { isNumeric } from '../../domain/elements.ts';
import type { Explanation } from '../../domain/explanation.ts';
import type { RequestContext } from '../../domain/request.ts';
import type { Tensor } from '../../domain/tensor.ts';
import type { ExplainOptions } from '../../explain/options.ts';
import { signatureOf, usualSignature } from '../../model/find-signature.ts';
import type { Routed } from '../../model/route.ts';
import { SCORE_DTYPES } from '../../model/signatures.ts';
import { tableOf } from '../../model/table.ts';
import { rowsOf } from '../../tensor/row-slices.ts';
import type { TensorStages } from '../stages.ts';
import { backgroundOf } from './background.ts';
import { featuresOf } from './features.ts';
import { openExplanations } from './open.ts';
import { recordSubject, rowOf } from './record.ts';
import { type ClassOutput, targetOf } from './target.ts';

export type RowsRequest = {
  readonly routed: Routed;
  readonly signature: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly rows: number;
  readonly options: ExplainOptions;
};

export type RowExplanations = Disposable & {
  of(routed: Routed, outputs: ReadonlyMap<string, Tensor>): Promise<readonly Explanation[]>;
};

/**
 * Takes a place for the explanations of all rows. Throws the errors of openExplanations, `explanation_unavailable` for inputs
 * that are no features, and `model_failed` for a background that cannot be used.
 */
export async function openRows(
  stages: TensorStages,
  { routed: first, signature, inputs, rows, options }: RowsRequest,
  context: RequestContext,
): Promise<RowExplanations> {
  const { signatures } = first.metadata;
  const features = featuresOf(inputs, rows);
  const isFeature = (name: string) => features.inputs.some(({ input }) => input === name);
  const ownOf = (row: number) =>
    new Map([...inputs].flatMap(([name, tensor]) => (isFeature(name) ? [[name, rowsOf(tensor, row, 1)]] : [])));
  const constant = new Map([...inputs].filter(([name]) => !isFeature(name)));
  const background = await backgroundOf(stages, first, signature, ownOf(0));
  const opened = openExplanations(stages, { options, kind: 'record', instances: rows, signatures }, context);
  return {
    async of(routed, outputs) {
      const found: Explanation[] = [];
      for (let row = 0; row < rows; row += 1) {
        const target = targetOf(rowOf(outputs, row), goalOf(routed, signature), options);
        const subject = { stages, routed, target, context, signature, own: ownOf(row), constant, features, background };
        found.push(await opened.explain((meter) => recordSubject({ ...subject, meter })));
      }
      return found;
    },
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

/** What is explained where the request does not say: the scores of classes, the output of the decision, or the first output of floats. */
function goalOf(
  { card, metadata, binding }: Routed,
  signature: string,
): { readonly scores: ClassOutput | undefined; readonly usual: string | undefined } {
  const { outputs } = signatureOf(metadata, signature);
  const numeric = outputs.filter(({ dtype }) => isNumeric(dtype));
  const usual = (numeric.find(({ dtype }) => SCORE_DTYPES.includes(dtype)) ?? numeric[0])?.name;
  if (signature !== usualSignature(card, metadata)) return { scores: undefined, usual };
  if (binding) {
    return { scores: { output: binding.output, classes: binding.card.classes, gives: card.scores }, usual };
  }
  const { scores, decision } = tableOf(card, metadata);
  return { scores, usual: decision?.output ?? usual };
}
