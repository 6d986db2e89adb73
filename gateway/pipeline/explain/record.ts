/** A record as the subject of an explanation: its features, and the scores of records that are mixed with the background. */
import type { Tensor } from '../../domain/tensor.ts';
import type { RecordSubject } from '../../explain/method.ts';
import { signatureOf } from '../../model/find-signature.ts';
import { rowsOf } from '../../tensor/row-slices.ts';
import type { BackgroundInputs } from './background.ts';
import { askCounted, askTensors, createBatches, type Explained } from './batches.ts';
import type { FeatureList } from './features.ts';
import { mixRows } from './mix.ts';
import { scoreOf } from './target.ts';

/** Elements of one batch that are mixed in one turn: about two milliseconds. */
const MOST_ELEMENTS = 2 ** 13;
const MOST_ROWS = 256;

export type ExplainedRecord = Explained & {
  readonly signature: string;
  /** The inputs of one row. */
  readonly own: ReadonlyMap<string, Tensor>;
  /** Inputs that have no rows. */
  readonly constant: ReadonlyMap<string, Tensor>;
  readonly features: FeatureList;
  readonly background: BackgroundInputs;
};

export function recordSubject(explained: ExplainedRecord): RecordSubject {
  const { stages, routed, target, context, signature, own, constant, features, background } = explained;
  const { names } = features;
  const isSingle = signatureOf(routed.metadata, signature).inputs.some(({ shape }) => shape?.[0] === 1);
  const most = isSingle ? 1 : Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_ELEMENTS / names.length)));
  const inBatches = createBatches(explained, most);
  return {
    kind: 'record',
    target,
    signatures: routed.metadata.signatures,
    names,
    own,
    background,
    ask: (name, inputs, rows, outputs) => askCounted(explained, { signature: name, inputs, rows, outputs }),
    scores: (count, from, isOwn) =>
      inBatches(count, async (start, rows, admit) => {
        const mixtures = Array.from({ length: rows }, (_, index) => ({
          from: from(start + index),
          isOwn: (feature: number) => isOwn(start + index, feature),
        }));
        const inputs = new Map(constant);
        for (const input of features.inputs) {
          inputs.set(input.input, mixRows(input, pairOf(input.input, own, background.inputs), mixtures));
        }
        const asked = { signature, inputs, rows, outputs: [target.output] };
        const outputs = await admit(1, () => askTensors({ stages, routed, context }, asked));
        return Float64Array.from({ length: rows }, (_, row) => scoreOf(rowOf(outputs, row), target));
      }),
  };
}

function pairOf(name: string, own: ReadonlyMap<string, Tensor>, background: ReadonlyMap<string, Tensor>) {
  const pair = { own: own.get(name), background: background.get(name) };
  if (pair.own && pair.background) return { own: pair.own, background: pair.background };
  throw new TypeError(`no input ${name}`);
}

/** The outputs of one row, without the first axis. */
export function rowOf(outputs: ReadonlyMap<string, Tensor>, row: number): Map<string, Tensor> {
  return new Map(
    [...outputs].map(([name, tensor]) => {
      const slice = rowsOf(tensor, row, 1);
      return [name, { ...slice, shape: slice.shape.slice(1) }];
    }),
  );
}
