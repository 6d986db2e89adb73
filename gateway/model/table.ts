/** Matches the model.yaml of a model that takes records with the server's signature. */
import type { Metadata } from '../domain/servable.ts';
import { isScalar, type Table, VERSION_FIELD } from '../domain/table.ts';
import type { Signature, TensorInfo } from '../domain/tensor.ts';
import type { ModelCard } from './card.ts';
import { signatureOf, usualSignature } from './find-signature.ts';
import { UNSERVED, unservedTensor } from './served-types.ts';
import { describe, findOutput, findSignature, mismatch, SCORE_DTYPES } from './signatures.ts';

/**
 * The table of a version. Throws SignatureMismatch where model.yaml names what the signature lacks, and `invalid_request` for a
 * model without a model.yaml that has no default signature, and for types that are not served.
 */
export function tableOf(card: ModelCard, metadata: Metadata): Table {
  const signature = usualSignature(card, metadata);
  const { inputs, outputs } = card.isDiscovered ? signatureOf(metadata, signature) : servedSignature(card, metadata);
  const { columns, record, classes, scores: gives, decision } = card;
  checkColumns(card, metadata, inputs);
  checkRedact(card, metadata, inputs);
  checkInputs(card, metadata, inputs);
  const output = classes && findOutput(card, metadata, { inputs, outputs }, classes.length).name;
  const scores = classes && output !== undefined ? { output, classes, gives } : undefined;
  const table = { signature, inputs, outputs, columns, record, decision, ...(scores && { scores }) };
  checkDecision(card, metadata, outputs);
  checkNames(card, metadata, table);
  return table;
}

function servedSignature(card: ModelCard, metadata: Metadata): Signature {
  const signature = findSignature(card, metadata);
  const unserved = unservedTensor(signature);
  if (!unserved) return signature;
  throw mismatch(card, metadata, `signature: ${card.signature}`, `has ${describe(unserved)}: ${UNSERVED}`);
}

function checkColumns(card: ModelCard, metadata: Metadata, inputs: readonly TensorInfo[]): void {
  if (!card.columns || new Set(card.columns).symmetricDifference(new Set(namesOf(inputs))).size === 0) return;
  throw mismatch(card, metadata, `columns: [${card.columns}]`, `has inputs ${namesOf(inputs).join(', ')}`);
}

/** A field that does not exist is not redacted: its right name would be in the log. */
function checkRedact(card: ModelCard, metadata: Metadata, inputs: readonly TensorInfo[]): void {
  const known = [...namesOf(inputs), 'id', ...(card.record ? [card.record.id] : [])];
  const unknown = card.redact?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw mismatch(card, metadata, `redact: ${unknown}`, `has ${known.join(', ')}`);
}

function checkInputs(card: ModelCard, metadata: Metadata, inputs: readonly TensorInfo[]): void {
  for (const [name, { choices = [], minimum, maximum }] of card.inputs ?? []) {
    const input = inputs.find((one) => one.name === name);
    if (!input) throw mismatch(card, metadata, `inputs.${name}`, `has inputs ${namesOf(inputs).join(', ')}`);
    const isText = input.dtype === 'DT_STRING';
    const wrong = choices.find((choice) => (typeof choice === 'string') !== isText);
    if (wrong !== undefined) {
      throw mismatch(
        card,
        metadata,
        `inputs.${name}.choices: ${JSON.stringify(wrong)}`,
        `has input ${describe(input)}`,
      );
    }
    const limit = minimum === undefined ? 'maximum' : 'minimum';
    if (isText && (minimum ?? maximum) !== undefined) {
      throw mismatch(card, metadata, `inputs.${name}.${limit}`, `has input ${describe(input)}`);
    }
  }
}

function checkDecision(card: ModelCard, metadata: Metadata, outputs: readonly TensorInfo[]): void {
  if (!card.decision) return;
  const { output: name } = card.decision;
  const output = outputs.find((one) => one.name === name);
  if (output && SCORE_DTYPES.includes(output.dtype) && isScalar(output)) return;
  const fitting = outputs.filter((one) => SCORE_DTYPES.includes(one.dtype) && isScalar(one));
  const known = namesOf(fitting).join(', ') || 'none';
  throw mismatch(card, metadata, `decision.output: ${name}`, `has as outputs with one number for each row ${known}`);
}

/** Every name of an answer, and every field of an instance, has one meaning. */
function checkNames(card: ModelCard, metadata: Metadata, { inputs, outputs, scores, record, decision }: Table): void {
  const answered = [
    ...outputs.flatMap(({ name }) => (name === scores?.output ? scores.classes : name)),
    ...(decision ? [decision.name] : []),
    ...(record ? [record.id, VERSION_FIELD] : []),
  ];
  const twice = answered.find((name, index) => answered.indexOf(name) < index);
  if (twice !== undefined)
    throw mismatch(card, metadata, `two things called ${twice} in its answers`, 'has one of them');
  const isTaken = record?.in !== undefined && namesOf(inputs).includes(record.in);
  if (isTaken) throw mismatch(card, metadata, `record.in: ${record.in}`, 'has an input of this name');
}

function namesOf(infos: readonly TensorInfo[]): string[] {
  return infos.map(({ name }) => name);
}
