/** A copy of a request that was predicted: its tensors as they were sent, and what the version that answered said. */
import type { RelayedMethod } from '../domain/backend.ts';
import type { RoomyMessage } from '../domain/roomy-message.ts';
import { stringTensor } from '../domain/strings.ts';
import type { Tensor } from '../domain/tensor.ts';
import { meaningOf } from '../model/meaning.ts';
import { bindingOf, type Routed } from '../model/route.ts';
import type { Predicted } from '../pipeline/predicted.ts';
import { answeringOutput } from '../scores/row-answers.ts';
import { copyTensor, copyTensors, elementBytes, tensorBytes } from '../tensor/copy.ts';
import { joinRows } from '../tensor/row-slices.ts';

export type CopiedRequest =
  | {
      readonly kind: 'tensors';
      readonly inputs: ReadonlyMap<string, Tensor>;
      /** The only input of a model for pictures, which another version may call by another name. */
      readonly picture: string | undefined;
    }
  | { readonly kind: 'message'; readonly method: RelayedMethod; readonly rest: RoomyMessage };

export type RequestCopy = {
  /** The version that answered. */
  readonly served: Routed;
  readonly signature: string;
  readonly request: CopiedRequest;
  /** Rows of the tensors. */
  readonly rows: number;
  /** The instance of each row. Undefined: they are in the same order. */
  readonly instances: readonly number[] | undefined;
  /** The output with the scores or the decision. Undefined where the client did not ask for it, or there is none. */
  readonly output: () => Promise<Tensor | undefined>;
  /** Gives the memory back. Call it once. */
  readonly release: () => void;
};

/** `bytes`: the memory of the copy until it is released, with the request that is sent of it. */
export type CopyPlan = { readonly bytes: number; readonly make: () => RequestCopy };

type OfKind<Kind extends Predicted['kind']> = Extract<Predicted, { kind: Kind }>;

/** What a copy of the request would take. Undefined for Classify and Regress, and where the model refused a picture of several. */
export function planCopy(predicted: Predicted): CopyPlan | undefined {
  const { routed, signature } = predicted;
  const output = answeringOutput(meaningOf(routed, signature)) ?? '';
  if (predicted.kind === 'tensors') return planTensors(predicted, output);
  return predicted.kind === 'pictures' ? planPictures(predicted, output) : planMessage(predicted, output);
}

function planTensors({ routed, signature, inputs, outputs, rows }: OfKind<'tensors'>, output: string): CopyPlan {
  const answered = outputs.get(output);
  return {
    bytes: 2 * tensorBytes(inputs) + (answered ? elementBytes(answered) : 0),
    make() {
      const copied = answered && copyTensor(answered);
      return {
        served: routed,
        signature,
        request: { kind: 'tensors', inputs: copyTensors(inputs), picture: undefined },
        rows,
        instances: undefined,
        output: async () => copied,
        release() {},
      };
    },
  };
}

/** Pixels are not copied: their memory is kept. */
function planPictures({ routed, signature, pictures, pixels }: OfKind<'pictures'>, output: string) {
  const { name } = bindingOf(routed).input;
  const sent = pictures.toSorted((one, other) => one.sentRow - other.sentRow);
  const rows = sent.length;
  if (pixels && pixels.tensor.shape[0] !== rows) return undefined;
  const inputBytes = pixels ? pixels.tensor.bytes.length : sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const answers = sent.flatMap(({ outputs }) => outputs.get(output) ?? []);
  return {
    bytes: 2 * inputBytes + answers.reduce((sum, answer) => sum + elementBytes(answer), 0),
    make(): RequestCopy {
      const encoded = () => sent.map(({ bytes }) => bytes);
      const tensor = pixels?.tensor ?? stringTensor([rows], encoded());
      const answered = joinRows(answers);
      return {
        served: routed,
        signature,
        request: { kind: 'tensors', inputs: new Map([[name, tensor]]), picture: name },
        rows,
        instances: sent.map(({ row }) => row),
        output: async () => answered,
        release: pixels ? pixels.keep() : () => undefined,
      };
    },
  };
}

/** A message is copied with the free memory before it. The head of another version is written there. */
function planMessage(predicted: OfKind<'relayed'>, output: string): CopyPlan | undefined {
  const { routed, signature, method, rest, rows, answerBytes, outputs } = predicted;
  if (method !== 'Predict' && method !== 'ModelInfer') return undefined;
  return {
    bytes: rest.end + answerBytes,
    make: () => ({
      served: routed,
      signature,
      request: { kind: 'message', method, rest: { ...rest, memory: rest.memory.slice(0, rest.end) } },
      rows,
      instances: undefined,
      output: async () => (await outputs()).get(output),
      release() {},
    }),
  };
}
