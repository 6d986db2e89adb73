/** What the Open Inference Protocol tells of models: whether one is ready, and its inputs and outputs. */
import type { RequestContext } from '../domain/request.ts';
import type { AskedServable } from '../domain/servable.ts';
import type { TensorInfo } from '../domain/tensor.ts';
import { GatewayError } from '../errors.ts';
import { signatureOf, usualSignature } from '../pipeline/signature.ts';
import { datatypeOf } from '../tensor/datatype.ts';
import type { OpenInferenceOptions } from './options.ts';

/** How long a look at readiness waits for a version that is being checked. */
const READY_MS = 1000;
/** What Triton calls a SavedModel. */
const PLATFORM = 'tensorflow_savedmodel';

export type NamedServable = AskedServable & { readonly model: string };

/** The servable by its name and version. Throws `invalid_request` for a version that is no number. */
export function servableOf({ model, version }: { readonly model: string; readonly version: string }): NamedServable {
  if (model === '') throw new GatewayError('invalid_request', 'model_name: is missing; send the name of a model.');
  if (version === '') return { model };
  const number = Number(version);
  if (/^\d+$/.test(version) && Number.isSafeInteger(number)) return { model, version: number };
  throw new GatewayError('invalid_request', `model_version: ${version.slice(0, 80)} is not the number of a version.`);
}

/** Throws the errors of `resolve` where no version would answer within a second. */
export async function requireReady(
  { resolve }: Pick<OpenInferenceOptions, 'resolve'>,
  servable: NamedServable,
  { signal, deadlineMs }: RequestContext,
): Promise<void> {
  await resolve(servable, { signal, deadlineMs: Math.min(deadlineMs, performance.now() + READY_MS) });
}

/** `shape`: -1 is an axis of any size; an unknown rank is one such axis. */
export type TensorMetadata = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };

export type ModelMetadata = {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
};

/** Describes the version that a servable means. Throws the errors of `resolve`. */
export async function describeModel(
  { resolve, versions }: Pick<OpenInferenceOptions, 'resolve' | 'versions'>,
  servable: NamedServable,
  context: RequestContext,
): Promise<ModelMetadata> {
  const { card, version, metadata } = await resolve(servable, context);
  context.note({ version });
  const { inputs, outputs } = signatureOf(metadata, usualSignature(card, metadata));
  const all = servable.version === undefined ? versions(card.name) : [version];
  return {
    name: card.name,
    versions: all.map(String),
    platform: PLATFORM,
    inputs: inputs.map(describeTensor),
    outputs: outputs.map(describeTensor),
  };
}

function describeTensor({ name, dtype, shape }: TensorInfo): TensorMetadata {
  return { name, datatype: datatypeOf(dtype) ?? dtype, shape: shape ?? [-1] };
}
